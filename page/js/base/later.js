/** Rooms of the page that are loaded when they are first needed. */

export class Later {
  /** Parameters: `load()`, which gives a promise of the room. */
  constructor(load) {
    Object.assign(this, { load, asked: null, room: null });
  }

  /** The room; a failure is forgotten, so that the next call asks again. */
  async get() {
    this.asked ??= this.load().catch((error) => {
      this.asked = null;
      throw error;
    });
    this.room = await this.asked;
    return this.room;
  }
}
