// Small things that must not wait for the server.
"use strict";
document.addEventListener("submit", (event) => {
  const back = event.target.querySelector("input.of-back");
  if (back) back.value = location.pathname.slice((window.path_prefix || "").length) + location.search;
});

// The row that keys move to. The server is told which it is only when something is done with it.
window.orderfleet = {
  cursor(table, index) {
    table = document.querySelector(table);
    if (!table) return;
    table.querySelectorAll("tbody tr").forEach((row, number) => {
      const here = number === index;
      row.classList.toggle("of-cursor", here);
      if (here) { row.setAttribute("aria-current", "true"); row.scrollIntoView({ block: "nearest" }); }
      else row.removeAttribute("aria-current");
    });
  },
  waiting: 0,
  busy(more) {
    this.waiting = Math.max(0, this.waiting + more);
    document.body.classList.toggle("of-busy", this.waiting > 0);
    document.querySelector(".of-main")?.setAttribute("aria-busy", String(this.waiting > 0));
  },
  address(search) { history.replaceState(history.state, "", location.pathname + search); },
  // A window of its own for paper; many orders do not fit into an address.
  paper(action, token, orders) {
    const form = Object.assign(document.createElement("form"), { method: "post", action, target: "_blank" });
    for (const [name, value] of Object.entries({ token, orders: orders.join("\n") }))
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
    form.remove();
  },
  // Rows that can be opened are reached by Tab, too.
  rows() {
    setTimeout(() => document.querySelectorAll(".of-table:not(.of-still) tbody tr").forEach((row) => { row.tabIndex = 0; }), 60);
  },
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches && event.target.matches(".of-table tbody tr")) event.target.click();
});
