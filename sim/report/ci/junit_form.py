"""The form of a JUnit document: suites of cases and their counts, after the schema of the Jenkins plug-in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) cannot hold, however it is escaped."""


def junit_document(suites: Iterable[tuple[str, Sequence[ET.Element]]]) -> str:
    """Return a document with these suites, each given by its name and its cases."""
    root = ET.Element("testsuites", name="sim")
    for name, cases in suites:
        suite = ET.SubElement(root, "testsuite", name=printable(name))
        suite.extend(cases)
        for element in (suite, root):
            _count(element, "tests", len(cases))
            _count(element, "failures", sum(case.find("failure") is not None for case in cases))
            _count(element, "errors", 0)
            _count(element, "skipped", sum(case.find("skipped") is not None for case in cases))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def junit_case(group: str, name: str, figures: Mapping[str, str]) -> ET.Element:
    """Return a case that passed, with its figures as properties."""
    case = ET.Element("testcase", classname=printable(group), name=printable(name), time="0")
    properties = ET.SubElement(case, "properties")
    for figure, value in figures.items():
        ET.SubElement(properties, "property", name=figure, value=printable(value))
    return case


def add_failure(case: ET.Element, kind: str, message: str, lines: Iterable[str]) -> None:
    """Let the case have failed; the lines say more than the message."""
    failure = ET.SubElement(case, "failure", type=kind, message=printable(message))
    failure.text = printable("\n".join(filter(None, lines)))


def add_skip(case: ET.Element, message: str) -> None:
    """Let the case have been skipped."""
    ET.SubElement(case, "skipped", message=printable(message))


def printable(text: str) -> str:
    """Return the text with a question mark for each character that XML cannot hold."""
    return _NOT_IN_XML.sub("?", text)


def _count(element: ET.Element, name: str, more: int) -> None:
    element.set(name, str(int(element.get(name, "0")) + more))
