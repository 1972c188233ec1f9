(function () {
  "use strict";
  var table = document.querySelector("table.batch");
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var search = document.getElementById("search");
  var status = document.getElementById("status");
  var count = document.getElementById("count");
  function show() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var left = 0;
    rows.forEach(function (row) {
      var text = row.cells[0].textContent.toLowerCase();
      var fits = words.every(function (word) { return text.indexOf(word) >= 0; });
      if (status.value && row.dataset.status !== status.value) { fits = false; }
      row.hidden = !fits;
      if (fits) { left += 1; }
    });
    count.textContent = left + " / " + rows.length;
  }
  function value(row, column) {
    var cell = row.cells[column];
    var text = cell.dataset.sort === undefined ? cell.textContent : cell.dataset.sort;
    var number = parseFloat(text);
    return isNaN(number) || text.trim() === "" ? text : number;
  }
  function sort(button, column) {
    var head = button.parentNode;
    var down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(function (other) {
      other.removeAttribute("aria-sort");
    });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort(function (a, b) {
      var x = value(a, column), y = value(b, column), order;
      if (typeof x === "number" && typeof y === "number") { order = x - y; }
      else if (typeof x === "number") { order = -1; }
      else if (typeof y === "number") { order = 1; }
      else { order = x.localeCompare(y); }
      return down ? -order : order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  table.querySelectorAll("th button").forEach(function (button) {
    button.addEventListener("click", function () {
      sort(button, button.parentNode.cellIndex);
    });
  });
  search.addEventListener("input", show);
  status.addEventListener("change", show);
  show();
})();
