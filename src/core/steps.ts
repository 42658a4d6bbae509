/**
 * A long computation in steps of well below a millisecond, so that whoever runs it may do other things in between, or
 * give it up (`return`). Between two steps it shares nothing that changes with any other computation.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Runs all steps in one go. */
export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
