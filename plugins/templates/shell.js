// The frame of our pages inside Airflow: its theme, its links out of the frame, the name of the report that is shown.
(function () {
  "use strict";
  const inside = window.parent !== window;

  function theme() {
    try {
      const classes = window.parent.document.documentElement.classList;
      if (inside && classes.contains("dark")) return "dark";
      if (inside && classes.contains("light")) return "light";
      const kept = window.localStorage.getItem("theme");
      return kept === "dark" || kept === "light" ? kept : null;
    } catch (error) { return null; }
  }

  function paint(root) {
    const wanted = theme();
    if (wanted) root.dataset.theme = wanted; else delete root.dataset.theme;
  }

  function paintAll() {
    paint(document.documentElement);
    for (const frame of document.querySelectorAll("iframe")) {
      try { paint(frame.contentDocument.documentElement); } catch (error) { /* not loaded yet */ }
    }
  }

  function reportShown(frame) {
    let path;
    try { path = frame.contentWindow.location.pathname; } catch (error) { return; }
    const name = decodeURIComponent(path.replace(/^.*\/speech\/reports\//, ""));
    const title = frame.contentDocument.title || name;
    const crumb = document.getElementById("crumb");
    if (crumb) crumb.textContent = title;
    if (location.pathname.endsWith("/report")) history.replaceState(null, "", "?name=" + encodeURIComponent(name));
  }

  // A frame may not move the page round it; a link made there may.
  function leave(event) {
    const link = event.target.closest && event.target.closest("a[data-top]");
    if (!link || !inside) return;
    event.preventDefault();
    const outer = window.parent.document.createElement("a");
    outer.href = link.href;
    window.parent.document.body.append(outer);
    outer.click();
    outer.remove();
  }

  paintAll();
  document.addEventListener("DOMContentLoaded", function () {
    for (const frame of document.querySelectorAll("iframe")) {
      frame.addEventListener("load", function () { paintAll(); reportShown(frame); });
    }
    paintAll();
  });
  document.addEventListener("click", leave);
  if (inside) {
    new MutationObserver(paintAll).observe(window.parent.document.documentElement, { attributes: true, attributeFilter: ["class"] });
  }
})();
