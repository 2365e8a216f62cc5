// Asking the browser not to throw stored models away when space runs short.

/**
 * Asks for persistent storage. Only pages can ask, not workers. The moment is after a model was downloaded and stored: there is
 * something to keep, and Firefox, which asks the user, asks about something that the user has just seen happen. Other
 * browsers decide by themselves. Whether it is granted changes nothing here: a model that was evicted is downloaded again.
 */
export async function askToPersist(): Promise<void> {
  try {
    const { storage } = navigator;
    if (!(await storage.persisted())) await storage.persist();
  } catch {
    // No storage manager, or an origin that must not ask.
  }
}
