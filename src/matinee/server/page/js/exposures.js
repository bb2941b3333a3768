// What somebody sees of their own list, for the online figures: items shown, and items clicked.

import { report } from "./api.js";

const LONG_ENOUGH = 1000; // milliseconds on the screen
const LOOK = 200; // milliseconds from one look at what is seen to the next
const MOST_OF_IT = 0.5; // of a row, that is on the screen and not covered
const SAMPLES = [1, 3, 5, 7, 9].map((tenths) => tenths / 10); // of a row's width and height, where one looks

// The share of an element that is on the screen, and that nothing covers.
function shareSeen(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const hits = SAMPLES.flatMap((x) => SAMPLES.map((y) => document.elementFromPoint(left + x * width, top + y * height)));
  return hits.filter((hit) => element.contains(hit)).length / hits.length;
}

// Exposures of the person `user`. An item counts once, of the list in which it was first seen, so
// that a list which grows or is mixed shows nothing a second time.
export class Exposures {
  constructor(user) {
    Object.assign(this, { user, rows: new Map(), lists: new Map(), clicked: new Set(), since: new Map(), looking: 0, events: [] });
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, intersectionRatio } of entries) this.moved(target, intersectionRatio >= MOST_OF_IT);
    }, { threshold: MOST_OF_IT });
  }

  // Look at the rows of a list from now on, and at no others.
  watch(rows, list) {
    this.stop();
    this.looking = setInterval(() => this.look(), LOOK);
    for (const row of rows) {
      this.rows.set(row, { item: row.dataset.id, list });
      this.observer.observe(row.firstElementChild); // what is unfolded below it may fill the screen
    }
  }

  stop() {
    this.observer.disconnect();
    clearInterval(this.looking);
    this.since.clear();
    this.rows.clear();
  }

  moved(button, isOnScreen) {
    const row = this.rows.get(button.parentElement);
    if (isOnScreen && row && !this.lists.has(row.item)) this.since.set(button, performance.now());
    else this.since.delete(button);
  }

  // Look at the rows on the screen, again and again: nothing tells when one is covered, as by the
  // mixer on a phone, or seen again.
  look() {
    const now = performance.now();
    for (const [button, since] of this.since) {
      const isSeen = !document.hidden && shareSeen(button) >= MOST_OF_IT; // a tab in the background shows nothing
      if (!isSeen) this.since.set(button, now);
      else if (now - since >= LONG_ENOUGH) {
        this.since.delete(button);
        this.shown(this.rows.get(button.parentElement));
      }
    }
  }

  shown({ item, list }) {
    if (this.lists.has(item)) return;
    this.lists.set(item, list);
    this.add("impression", item);
  }

  // An item was opened, so it was seen, however short.
  opened(item) {
    this.listOf(item);
    if (!this.lists.has(item) || this.clicked.has(item)) return;
    this.clicked.add(item);
    this.add("click", item);
  }

  // The id of the list in which an item was seen; undefined for one of no list.
  listOf(item) {
    const row = [...this.rows.values()].find((one) => one.item === item);
    if (row) this.shown(row);
    return this.lists.get(item);
  }

  // What happens at one moment is sent as one; what cannot be sent is not worth disturbing anybody.
  add(kind, item) {
    if (!this.events.length) setTimeout(() => report("/v1/feedback", { events: this.events.splice(0) }).catch(() => null));
    this.events.push({ kind, user_id: this.user, item_id: item, recommendation_id: this.lists.get(item) });
  }
}
