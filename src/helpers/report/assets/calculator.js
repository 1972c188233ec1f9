(function () {
  "use strict";
  function number(x, digits) {
    var text = Math.abs(x).toLocaleString("en-US", {
      minimumFractionDigits: digits, maximumFractionDigits: digits
    });
    return (x < 0 && Number(text.replace(/,/g, "")) !== 0 ? "\u2212" : "") + text;
  }
  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) {
      return Object.prototype.hasOwnProperty.call(values, name) ? values[name] : whole;
    });
  }
  // Normal distribution function: series near the middle, continued fraction in the tails.
  function normal(z) {
    var x = Math.abs(z), density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI), i, sum, term;
    if (x < 4) {
      sum = x; term = x;
      for (i = 3; i < 200; i += 2) { term *= x * x / i; sum += term; }
      return z < 0 ? 0.5 - density * sum : 0.5 + density * sum;
    }
    sum = x;
    for (i = 60; i > 0; i -= 1) { sum = x + i / sum; }
    return z < 0 ? density / sum : 1 - density / sum;
  }
  function start(form) {
    var data = JSON.parse(form.getAttribute("data-calculator"));
    var sliders = Array.prototype.slice.call(form.querySelectorAll("[data-part=lever]"));
    var value = form.querySelector("[data-part=value]");
    var weight = form.querySelector("[data-part=weight]");
    var segment = form.querySelector("[data-part=segment]");
    function told(input, text) {
      input.nextElementSibling.textContent = text;
      input.setAttribute("aria-valuetext", text);
    }
    function show() {
      var w = weight ? Number(weight.value) : 0, worth = Number(value.value);
      var group = data.segments.filter(function (one) { return one.code === segment.value; })[0];
      var steps = sliders.map(function (one) { return Number(one.value); });
      var rise = steps.map(function (step, k) {
        var rooms = group.rooms[k];
        return rooms[0].reduce(function (sum, room, i) {
          return sum + rooms[1][i] * Math.min(step, room);
        }, 0);
      });
      // Gain = rise' M b with M = (1 - w) I + w p 1', so its weights on the slopes are M' rise.
      var pull = data.prior ? rise.reduce(function (sum, r, k) { return sum + r * data.prior[k]; }, 0) : 0;
      var load = rise.map(function (r) { return (1 - w) * r + w * pull; });
      var gain = 0, variance = 0, cost = 0, beyond = [];
      data.levers.forEach(function (lever, k) {
        gain += load[k] * lever.slope;
        cost += steps[k] * lever.cost;
        load.forEach(function (other, j) { variance += load[k] * other * data.cov[k][j]; });
        if (steps[k] > 0 && (steps[k] > lever.most + 1e-9 || steps[k] > group.spare[k])) {
          beyond.push(lever.name);
        }
        told(sliders[k], number(steps[k], lever.digits) + " " + data.words.points);
      });
      var net = worth * gain - cost, sd = worth * Math.sqrt(Math.max(variance, 0));
      var pays = sd > 0 ? normal(net / sd) : Number(net > 0);
      told(value, String(worth));
      if (weight) { told(weight, number(100 * w, 0) + "%"); }
      form.querySelector(".outcome").textContent = filled(data.words.result, {
        cost: number(cost, 2), net: number(net, 2), low: number(net - data.z * sd, 2),
        high: number(net + data.z * sd, 2), pays: number(100 * pays, 0) + "%"
      });
      form.querySelector(".beyond").textContent = beyond.length === 0 ? "" :
        filled(data.words.outside, { levers: beyond.join(data.words.comma) });
    }
    form.addEventListener("input", show);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    show();
  }
  Array.prototype.forEach.call(document.querySelectorAll("form.calculator"), start);
})();
