// Work that follows a hand: what a newer run overtakes is aborted, and nothing of it is shown.

// `work(signal)` passes the signal to its requests, and shows nothing once it is aborted.
export function latest(work) {
  let controller = null;
  return async () => {
    controller?.abort();
    const own = controller = new AbortController();
    try {
      await work(own.signal);
    } catch (error) {
      if (!own.signal.aborted) throw error;
    }
  };
}
