// Starts the timeline: reads what the page holds of its runs, and shows those that are chosen.

class Page {
  constructor(content) {
    this.content = content;
    this.read = new Map(); // By number, the runs that were looked at.
    this.choosers = [...document.querySelectorAll("select[data-run]")];
    this.timeline = new Timeline(document.getElementById("timeline"), content.colours, content.partings);
    for (const chooser of this.choosers) chooser.addEventListener("change", () => this.show());
  }

  async show() {
    const chosen = this.choosers.map((chooser) => chooser.value).filter((value) => value !== "");
    const runs = await Promise.all([...new Set(chosen)].map((value) => this.run(Number(value))));
    this.timeline.show(runs);
    document.documentElement.dataset.ready = "yes";
  }

  async run(number) {
    if (!this.read.has(number)) this.read.set(number, await Run.read(number, this.content.runs[number]));
    return this.read.get(number);
  }
}

const page = new Page(JSON.parse(document.getElementById("content").textContent));
page.show().catch((error) => {
  document.querySelector(".parting").textContent = `This browser cannot show the timeline: ${error.message}`;
  throw error;
});
