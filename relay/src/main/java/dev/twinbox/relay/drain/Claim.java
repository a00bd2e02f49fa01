package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A lane that is ours, as of our last write. Every write of it goes through here, so that the state
 * is always the one that the log has. Used by the lane's thread.
 */
final class Claim {
  private final LaneLog log;
  private final long leaseNanos;
  private boolean continued;
  private LaneState state;
  private long writtenAt;

  private Claim(LaneLog log, Duration lease, LaneState state, long writtenAt) {
    this.log = log;
    this.leaseNanos = lease.toNanos();
    this.state = state;
    this.continued = state.isOpen();
    this.writtenAt = writtenAt;
  }

  /** Claims a lane, or answers empty when somebody else holds it. */
  static Optional<Claim> take(LaneLog log, Duration lease, int lane, String owner)
      throws SQLException {
    long now = System.nanoTime();
    Optional<LaneState> known = log.read(lane);
    if (known.isEmpty()) {
      return Optional.empty();
    }
    return log.claim(known.get(), owner).map(claimed -> new Claim(log, lease, claimed, now));
  }

  /** Whether the open window was opened before this claim. */
  boolean isContinued() {
    return continued;
  }

  LaneState state() {
    return state;
  }

  void open() throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.open(state), now, "open");
  }

  void refresh() throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.refresh(state), now, "refresh");
  }

  void settle() throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.settle(state), now, "settle");
    continued = false;
  }

  /** Opens a window if anything waits, and reads its first page. */
  Optional<WindowReader.Page> openIfAny(int rows, long bytes) throws SQLException {
    long now = System.nanoTime();
    return opened(log.openIfAny(state, rows, bytes), now);
  }

  /** Settles, and opens the next window at once if anything waits. */
  Optional<WindowReader.Page> settleAndOpen(int rows, long bytes)
      throws SQLException, LaneLostException {
    long now = System.nanoTime();
    LaneLog.Turn turn = log.settleAndOpen(state, rows, bytes);
    take(turn.settled(), now, "settle");
    continued = false;
    return opened(turn.opened(), now);
  }

  /** Takes in the window that the polling thread has opened for us. */
  WindowReader.Page opened(LaneLog.Opened window, long sentAt) throws LaneLostException {
    LaneState now = window.state();
    if (now.seq() != state.seq() + 1 || !Objects.equals(now.claimId(), state.claimId())) {
      throw new LaneLostException(state.lane(), "open");
    }
    state = now;
    writtenAt = sentAt;
    return window.page();
  }

  private Optional<WindowReader.Page> opened(Optional<LaneLog.Opened> window, long sentAt) {
    if (window.isEmpty()) {
      return Optional.empty();
    }
    state = window.get().state();
    writtenAt = sentAt;
    return Optional.of(window.get().page());
  }

  void progress(long cursor, List<Long> ahead) throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.progress(state, cursor, ahead), now, "progress");
  }

  /** A change that takes a step of the lane's log along; empty when the lane is lost. */
  @FunctionalInterface
  interface Change {
    Optional<LaneState> from(LaneState known) throws SQLException;
  }

  /** Makes a change of other tables that holds only if the lane is still ours. */
  void change(Change change, String during) throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(change.from(state), now, during);
  }

  /** Extends the lease when a third of it is over. */
  void renewIfDue() throws SQLException, LaneLostException {
    if (age() > leaseNanos / 3) {
      renew();
    }
  }

  /** Extends the lease, and so finds out whether the lane is still ours. */
  void renew() throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.renew(state), now, "renew");
  }

  /** Gives the lane back. */
  void release(long cursor, List<Long> ahead) throws SQLException, LaneLostException {
    long now = System.nanoTime();
    take(log.release(state, cursor, ahead), now, "release");
  }

  /**
   * Whether the lease may have run out. Measured from before our last write was sent, so it never
   * says no too late, whatever the clocks of the two machines show.
   */
  boolean mayHaveExpired() {
    return age() > leaseNanos;
  }

  /** How long ago the last write was sent. */
  long age() {
    return System.nanoTime() - writtenAt;
  }

  private void take(Optional<LaneState> written, long sentAt, String during)
      throws LaneLostException {
    state = written.orElseThrow(() -> new LaneLostException(state.lane(), during));
    writtenAt = sentAt;
  }
}
