/**
 * Groups single removals into one statement: while one is under way the next ones gather. Each caller waits for the commit of its own id,
 * so that a lane never runs ahead of what the database knows.
 */
export function groupRemovals(remove: (ids: readonly number[]) => Promise<void>): (id: number) => Promise<void> {
  let gathering: { ids: number[]; done: Promise<void> } | undefined;
  let previous: Promise<unknown> = Promise.resolve();

  return (id) => {
    if (gathering !== undefined) {
      gathering.ids.push(id);
      return gathering.done;
    }
    const ids = [id];
    const done = previous.then(() => {
      gathering = undefined;
      return remove(ids);
    });
    gathering = { ids, done };
    // A failed removal is its callers' to report; the next group starts all the same.
    previous = done.catch(() => undefined);
    return done;
  };
}
