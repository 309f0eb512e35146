/** Which frame is shown when: the course of time in the player. */

export class Course {
  /** Parameters: the cadences, and whether those with flags take part. Where each has a flag, all do. */
  constructor(cadences, flagged) {
    this.time = cadences.time;
    const all = Array.from(cadences.time.keys());
    const some = flagged ? all : all.filter((index) => !cadences.quality[index]);
    this.shown = some.length ? some : all;
    this.place = 0;
  }

  /** The cadence that is shown, counted from 0. */
  get index() {
    return this.shown[Math.floor(this.place)];
  }

  /** Go so many frames on; a fraction counts later. After the last frame comes the first. */
  advance(frames) {
    const { length } = this.shown;
    this.place = (((this.place + frames) % length) + length) % length;
  }

  /** Be in the middle of the time of a frame, so that the film does not hop where it has the rhythm of the screen. */
  settle() {
    this.place = Math.floor(this.place) + 0.5;
  }

  /** Step to a whole frame, and stop at the ends. */
  step(frames) {
    this.place = Math.max(0, Math.min(this.shown.length - 1, Math.floor(this.place) + frames));
  }

  /** Go to the frame that is nearest in time. */
  seek(time) {
    let [best, distance] = [this.place, Infinity];
    this.shown.forEach((index, place) => {
      const away = Math.abs(this.time[index] - time);
      if (away < distance) [best, distance] = [place, away];
    });
    this.place = best;
  }
}
