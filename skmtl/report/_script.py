"""The script of the page: it sorts, searches and turns the pages of the tasks."""

SCRIPT = """
for (const box of document.querySelectorAll(".tasks")) {
  const [texts, keys] = JSON.parse(box.querySelector("script").textContent);
  const body = box.querySelector("tbody"), pages = box.querySelector(".pages");
  const heads = [...box.querySelectorAll("th[scope=col]")];
  const search = box.querySelector("input"), count = box.querySelector(".count");
  const [back, next] = pages.querySelectorAll("button");
  const size = Number(box.dataset.size);
  let order = texts.map((_, i) => i), found = order, page = 0, sorted = -1, up = true;
  const draw = () => {
    body.replaceChildren(...found.slice(page * size, (page + 1) * size).map((i) => {
      const row = document.createElement("tr");
      texts[i].forEach((text, j) => {
        const cell = document.createElement(j ? "td" : "th");
        if (!j) cell.scope = "row";
        cell.textContent = text;
        row.append(cell);
      });
      if (texts[i][texts[i].length - 1] === "hurt") row.className = "hurt";
      return row;
    }));
    const last = Math.max(1, Math.ceil(found.length / size));
    pages.hidden = last === 1;
    pages.querySelector("span").textContent = `page ${page + 1} of ${last}`;
    back.disabled = page === 0;
    next.disabled = page + 1 >= last;
    count.textContent = `${found.length.toLocaleString("en")} of ` +
      `${texts.length.toLocaleString("en")} tasks`;
  };
  const filter = () => {
    const word = search.value.trim().toLowerCase();
    found = order.filter((i) => texts[i][0].toLowerCase().includes(word));
    page = 0;
    draw();
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const signed = typeof a === "number" && typeof b === "number"
      ? a - b : String(a).localeCompare(String(b), "en", {numeric: true});
    return up ? signed : -signed;
  };
  heads.forEach((head, j) => head.firstChild.addEventListener("click", () => {
    up = sorted === j ? !up : true;
    sorted = j;
    heads.forEach((each) => each.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    order = texts.map((_, i) => i).sort((a, b) => compare(keys[a][j], keys[b][j]));
    filter();
  }));
  search.addEventListener("input", filter);
  back.addEventListener("click", () => { page -= 1; draw(); });
  next.addEventListener("click", () => { page += 1; draw(); });
  box.querySelector(".tools").hidden = false;
  box.querySelector(".still").textContent = "";
  draw();
}
"""
