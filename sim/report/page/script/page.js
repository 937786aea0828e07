// Starts the timeline: reads what the page holds of its runs, and shows those that are chosen.

class Page {
  constructor(content) {
    this.content = content;
    this.read = new Map(); // By number, the runs that were looked at.
    this.choosers = [...document.querySelectorAll("select[data-run]")];
    this.timeline = new Timeline(document.getElementById("timeline"), content.colours, content.partings);
    for (const chooser of this.choosers) chooser.addEventListener("change", () => this.show());
  }

  get chosen() {
    return [...new Set(this.choosers.map((chooser) => chooser.value).filter((value) => value !== ""))];
  }

  async show() {
    const { chosen } = this;
    try {
      const runs = await Promise.all(chosen.map((value) => this.run(Number(value))));
      // Others may have been chosen while these were read.
      if (String(chosen) === String(this.chosen)) this.timeline.show(runs);
    } catch (error) {
      document.querySelector(".parting").textContent = `This browser cannot show the timeline: ${error.message}`;
      throw error;
    }
    document.documentElement.dataset.ready = "yes";
  }

  async run(number) {
    if (!this.read.has(number)) this.read.set(number, await Run.read(number, this.content.runs[number]));
    return this.read.get(number);
  }
}

new Page(JSON.parse(document.getElementById("content").textContent)).show();
