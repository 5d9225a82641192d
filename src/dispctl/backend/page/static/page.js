// Keeps what is shown up to date: asks for the page again and puts the parts in that have changed. The WebSocket of the
// active job says when to ask at once; without it, asking again and again serves alone. Knows no texts: they stand in the
// page. The bars of a job that is being poured follow its plan, by the backend's clock.
"use strict";

(() => {
  const ACTIVE_MS = 1500;
  const WATCHED_MS = 4000;
  const IDLE_MS = 5000;
  const ANSWER_WITHIN_MS = 8000;
  const TICK_MS = 200;

  const page = document.body;
  const language = document.documentElement.lang;
  const announcer = document.getElementById("announcer");
  const lost = document.getElementById("lost");

  let ahead_ms = Date.parse(page.dataset.now) - Date.now();
  let known = texts(document);
  let heard = new Date();
  let asking = false;
  let askAgain = false;
  let timer = 0;
  let socket = null;

  function parts(root) {
    return [...root.querySelectorAll("[data-part]")];
  }

  function texts(root) {
    return new Map(parts(root).map((part) => [part.id, part.outerHTML]));
  }

  // ---- what is shown ----

  function say(when) {
    const today = when.toDateString() === new Date().toDateString();
    const style = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(language, style).format(when);
  }

  function showMoments(root) {
    for (const time of root.querySelectorAll("time[data-moment]")) {
      time.textContent = say(new Date(time.dateTime));
    }
  }

  function showPlan() {
    const list = document.querySelector(".items[data-taken]");
    if (!list) return;
    const elapsed_s = (Date.now() + ahead_ms - Date.parse(list.dataset.taken)) / 1000;
    for (const item of list.children) showItem(list, item, elapsed_s - Number(item.dataset.begins));
    showRemaining(elapsed_s);
  }

  function showItem(list, item, into_s) {
    const lasts_s = Number(item.dataset.seconds);
    const state = into_s < 0 ? "waits" : into_s < lasts_s ? "pouring" : "poured";
    item.querySelector("progress").value = Math.min(Math.max(into_s, 0), lasts_s);
    if (item.dataset.plan === state) return;
    item.dataset.plan = state;
    item.querySelector(".words").textContent = list.dataset[state];
  }

  function showRemaining(elapsed_s) {
    const line = document.querySelector(".remaining");
    const left_s = Math.ceil(Number(line.dataset.planned) - elapsed_s);
    const text = left_s > 0 ? line.dataset.left.replace("{seconds}", left_s) : line.dataset.over;
    if (line.textContent !== text) line.textContent = text;
  }

  function showLost(isLost) {
    if (isLost && lost.hidden) lost.textContent = lost.dataset.say.replace("{time}", say(heard));
    lost.hidden = !isLost;
  }

  // ---- asking ----

  async function refresh() {
    clearTimeout(timer);
    askAgain = asking;
    if (asking) return;
    asking = true;
    try {
      showLost(!(await ask()));
    } finally {
      asking = false;
    }
    watch();
    if (askAgain) refresh();
    else schedule();
  }

  function schedule() {
    const active = document.querySelector("[data-active]");
    const watched = socket && socket.readyState === WebSocket.OPEN;
    clearTimeout(timer);
    timer = setTimeout(refresh, active ? (watched ? WATCHED_MS : ACTIVE_MS) : IDLE_MS);
  }

  // Whether the backend answered.
  async function ask() {
    if (document.hidden) return true;
    const query = location.pathname === page.dataset.path ? location.search : "";
    let text;
    try {
      const answer = await fetch(page.dataset.path + query, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      if (answer.redirected) location.assign("/");
      if (answer.redirected || !answer.ok) return answer.redirected;
      text = await answer.text();
    } catch {
      return false;
    }
    take(new DOMParser().parseFromString(text, "text/html"));
    return true;
  }

  function take(fresh) {
    heard = new Date();
    ahead_ms = Date.parse(fresh.body.dataset.now) - Date.now();
    if (document.title !== fresh.title) document.title = fresh.title;
    const now = texts(fresh);
    for (const part of parts(fresh)) {
      if (now.get(part.id) !== known.get(part.id)) replace(document.getElementById(part.id), part);
    }
    known = now;
    showPlan();
  }

  // Puts a part in the place of the one before, with the focus and the opened details where they were.
  function replace(before, part) {
    const opened = [...before.querySelectorAll("details[open]")].map((details) => details.id);
    const focused = before.contains(document.activeElement) ? document.activeElement.id : null;
    const after = document.importNode(part, true);
    showMoments(after);
    before.replaceWith(after);
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused !== null) focusAgain(after, focused);
    const news = after.dataset.announce;
    if (news && news !== before.dataset.announce) announcer.textContent = news;
  }

  function focusAgain(part, id) {
    const same = id && document.getElementById(id);
    if (!same) part.tabIndex = -1;
    (same || part).focus({ preventScroll: true });
  }

  // ---- the active job's news ----

  function watch() {
    const job = document.querySelector("[data-job][data-active]")?.dataset.job;
    if (socket && socket.job !== job) socket.close();
    const done = !socket || socket.readyState === WebSocket.CLOSED;
    if (!job || (!done && socket.job === job)) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/ws/jobs/${job}`);
    socket.job = job;
    socket.onmessage = refresh;
    socket.onclose = schedule;
  }

  if (parts(document).length) {
    watch();
    schedule();
    setInterval(showPlan, TICK_MS);
    document.addEventListener("visibilitychange", () => document.hidden || refresh());
  }
  showMoments(document);
  showPlan();
})();
