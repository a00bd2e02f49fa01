package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks, for all lanes of a relay that have nothing to do, whether anything waits for them: one
 * statement for all of them, soon after there was something and seldom later. Whoever commits in
 * this process makes it ask at once.
 *
 * <p>Thread-safe. One {@link #session} runs at a time.
 */
public final class IdlePoll {
  private static final Logger log = LoggerFactory.getLogger(IdlePoll.class);
  private static final long SLOW_NANOS = Duration.ofMillis(10).toNanos();

  /** A single slow poll may have waited for a processor. */
  private static final int SLOW_POLLS = 3;

  private static final long EMPTY_WINDOWS_APART = Duration.ofMillis(500).toNanos();
  private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long WARN_AGAIN_NANOS = Duration.ofSeconds(10).toNanos();
  private static final Duration LONGEST_WAIT = Duration.ofMillis(500);

  /**
   * What was found for a lane.
   *
   * @param window the lane's window number when it was looked for
   * @param poll what was seen
   */
  record Found(long window, WindowReader.Poll poll) {}

  private record Waiting(LaneState state, Consumer<Found> told) {}

  private final WindowReader reader;
  private final long shortestNanos;
  private final long longestNanos;
  private final Map<Integer, Waiting> waiting = new ConcurrentHashMap<>();
  private final Wakeup wakeup = new Wakeup();
  private volatile boolean committed;
  private volatile boolean stopping;
  private volatile long activeAt = System.nanoTime();
  private long polledAt = System.nanoTime();
  private long pollNanos;
  private int slowPolls;
  private long warnedAt = System.nanoTime() - WARN_AGAIN_NANOS;
  private long emptyWindowsAt = System.nanoTime() - EMPTY_WINDOWS_APART;

  /**
   * @param reader the database
   * @param settings the shortest and the longest pause between two polls
   */
  public IdlePoll(WindowReader reader, DrainSettings settings) {
    this.reader = reader;
    this.shortestNanos = settings.shortestPoll().toNanos();
    this.longestNanos = settings.longestPoll().toNanos();
  }

  /** Something was committed: ask now. Cheap; never blocks. */
  public void wake() {
    committed = true;
    activeAt = System.nanoTime();
    wakeup.wake();
  }

  /** Ends the running session soon, and every later one. */
  public void requestStop() {
    stopping = true;
    wakeup.wake();
  }

  /**
   * Ask for this lane, which has no open window, until something is found.
   *
   * @param told called then, once, on the polling thread: it must return at once
   */
  void ask(LaneState state, Consumer<Found> told) {
    if (waiting.put(state.lane(), new Waiting(state, told)) == null) {
      activeAt = System.nanoTime();
      wakeup.wake();
    }
  }

  /** Do not ask for this lane any more. */
  void forget(int lane) {
    waiting.remove(lane);
  }

  /** Asks for about so long. Does not throw: what fails is logged and tried again. */
  public void session(Duration length) {
    long end = System.nanoTime() + length.toNanos();
    for (long now = System.nanoTime(); now - end < 0 && !stopping; now = System.nanoTime()) {
      long pause = waiting.isEmpty() ? longestNanos : pollAfter() - now;
      if (pause > 0) {
        wakeup.await(Duration.ofNanos(Math.min(pause, LONGEST_WAIT.toNanos())));
        if (Thread.currentThread().isInterrupted()) {
          return;
        }
      } else {
        poll();
      }
    }
  }

  /**
   * The pause grows with the time for which there was nothing, so that a message waits for a sixth
   * of its distance from the last one at most, and an idle relay asks seldom. After a commit there
   * is none, but for as long as the last poll took: a busy process would otherwise do nothing else.
   */
  private long pollAfter() {
    if (committed) {
      return polledAt + pollNanos;
    }
    long quiet = (polledAt - activeAt) / 6;
    return polledAt + Math.max(shortestNanos, Math.min(longestNanos, quiet));
  }

  private void poll() {
    committed = false;
    List<Waiting> lanes = List.copyOf(waiting.values());
    long asked = System.nanoTime();
    try {
      Map<Integer, WindowReader.Poll> polls =
          reader.poll(lanes.stream().map(Waiting::state).toList());
      long answered = System.nanoTime();
      // Slow polls have walked the rows of an open transaction. After an empty window they lie
      // below the floor, and transactions that are listed as running are not looked into.
      slowPolls = answered - asked > SLOW_NANOS ? slowPolls + 1 : 0;
      boolean slow = slowPolls >= SLOW_POLLS && answered - emptyWindowsAt > EMPTY_WINDOWS_APART;
      if (slow) {
        emptyWindowsAt = answered;
      }
      for (Waiting lane : lanes) {
        WindowReader.Poll poll = polls.get(lane.state().lane());
        if (poll != null && (poll.anything() || slow)) {
          waiting.remove(lane.state().lane(), lane);
          lane.told().accept(new Found(lane.state().window(), poll));
        }
      }
    } catch (SQLException e) {
      warn(e);
      activeAt = asked - SECOND_NANOS;
    }
    polledAt = System.nanoTime();
    pollNanos = polledAt - asked;
  }

  private void warn(SQLException failure) {
    long now = System.nanoTime();
    if (now - warnedAt >= WARN_AGAIN_NANOS) {
      warnedAt = now;
      log.warn("It is unknown whether messages wait; asked again soon: {}", failure.getMessage());
    }
  }
}
