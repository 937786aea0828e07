"""Texts that are no YAML, as `bad_scenarios` has them."""

from tests.scenario.good_scenario import good_but

SYNTAX = {
    "empty file": ("§", "found an empty file"),
    "only a comment": ("§# nothing here\n", "found an empty file"),
    "bracket not closed": ("nodes: [1, 2\n§", "found no ',' or ']' here; allowed: one of them, as the '[' at 1:8"),
    "brace not closed": ("probe: {ttl: 1s\nname§: a", "as the '{' at 1:8 is not closed"),
    "bracket that nothing opens": ("a: 1\n§]", "found a ']' that nothing opens"),
    "two values on a line": ("name: a§: b", "found a ':' inside a value; allowed: quotes around such a value"),
    "no space after a colon": (
        "name: a\n§seed:1\nframes: 2",
        "found a line without ': '; allowed: key: value, with a space",
    ),
    "no colon": ("name: a\n§nodes\n  - {name: a}", "found a line without ': '"),
    "text after a quote": ("name: 'it'§s'", "found more text after the end of a value; allowed: quotes around all"),
    "no dash before an entry": ("nodes:\n  - name: a\n  §name: b", "found no '-' before an entry of a list"),
    "dash before a key": ("name: a\n§- seed: 1", "found an entry of a list among keys; allowed: a key, as in line 1"),
    "list beside its key": ("nodes: §- a", "found an entry of a list after something else"),
    "no value": ("nodes: [1,§,2]", "found ',' where a value has to stand"),
    "value that begins with a sign": ("about: §@home", "found a value that begins with '@'; allowed: such a value in"),
    "text after the value": ('"a" §b', "found text beside the one value of the file; allowed: a mapping that is"),
    "what is seldom wrong": ("about: |§x", "expected chomping or indentation indicators, but found 'x'; allowed: map"),
    "tab as indent": ("nodes:\n§\t- 1", "found a tab where only spaces may stand; allowed"),
    "quote not closed": ('name: §"abc\n', "found a quote that nothing closes; allowed: a closing quote"),
    "second document": (good_but() + "§---\nname: again\n", "found a second document"),
    "a list": ("§- 1\n- 2\n", "found a list; allowed: a mapping"),
    "a word": ("§scenario", "found 'scenario'; allowed: a mapping"),
    "bad indent": ("name: a\n duration§: 1m", "keys in line with their neighbours"),
    "key deeper than its neighbours": (
        "nodes:\n  - name: a\n   §vram: 1GB",
        "found an indentation of 3, which fits no line above; allowed: that of its neighbours",
    ),
    "a list as a key": ("? §[a, b]\n: 1", "found a list or mapping as a key"),
    "escape out of range": ('§name: "\\U00110000"', "found a number that YAML cannot hold"),
}
