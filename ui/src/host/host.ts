// What the user interface needs of the world around it. The rest of the tree knows this alone.

import type { Command, ScreenName, Told, View, Wall } from "../contract";

export interface Host {
  /** Tells of views, and of the resident's going and coming, from now on. */
  listen(heard: Heard): Promise<void>;
  /** Has a command carried out, and says what came of it. */
  send(command: Command): Promise<Told>;
  copy(text: string): Promise<void>;
  /** Makes this window as high as its content, in pixels, as far as the screen goes. */
  fit(height: number): void;
  /** Closes this window. */
  close(): void;
  now(): Wall;
}

export interface Heard {
  view(view: View): void;
  /** The resident ended, or does not answer. */
  gone(): void;
  back(): void;
  /** A person chose this screen elsewhere. */
  go(screen: ScreenName): void;
}
