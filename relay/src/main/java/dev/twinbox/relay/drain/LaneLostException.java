package dev.twinbox.relay.drain;

/** The lane is not ours any more: nothing more may be written or published for it. */
final class LaneLostException extends Exception {
  private static final long serialVersionUID = 1L;

  LaneLostException(int lane, String during) {
    super(
        "Lane %s was taken by another relay, or the database was exchanged (noticed at: %s)"
            .formatted(lane, during));
  }
}
