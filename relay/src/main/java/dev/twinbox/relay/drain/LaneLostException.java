package dev.twinbox.relay.drain;

/** Another relay has taken the lane: nothing more may be written or published for it. */
final class LaneLostException extends Exception {
  private static final long serialVersionUID = 1L;

  LaneLostException(int lane, String during) {
    super("Lane %d was taken by another relay (noticed at: %s)".formatted(lane, during));
  }
}
