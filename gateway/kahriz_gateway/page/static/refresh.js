// SPDX-License-Identifier: MIT
// Fetches the page again when the gateway says that there is news, else now and then, and puts it in
// place; without it, the reader reloads.
// Never while somebody fills in a form or reads what they have opened.
"use strict";
(function () {
  var EVERY_MS = 15000;
  async function refresh() {
    if (document.hidden || document.querySelector("details[open], main form")) return;
    try {
      var answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      var page = new DOMParser().parseFromString(await answer.text(), "text/html");
      [".offline", "main", "footer"].forEach(function (name) {
        document.querySelector(name).replaceWith(page.querySelector(name));
      });
      document.body.classList.remove("cut");
    } catch (error) {
      document.body.classList.add("cut");
    }
  }
  var told = false, turns = 0;
  if (window.EventSource) {
    var news = new EventSource("/events");
    news.onopen = function () { told = true; };
    news.onerror = function () { told = false; };
    news.onmessage = refresh;
  }
  setInterval(function () {
    turns += 1;
    if (!told || turns % 2 === 0) refresh(); // ages grow, and a lost WiFi says nothing
  }, EVERY_MS);
})();
