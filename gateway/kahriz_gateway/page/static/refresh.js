// SPDX-License-Identifier: MIT
// Fetches the page again now and then and puts it in place; without it, the reader reloads.
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
  setInterval(refresh, EVERY_MS);
})();
