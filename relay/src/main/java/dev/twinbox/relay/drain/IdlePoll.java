package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks, for all lanes of a relay that have nothing to do, whether anything waits for them: one
 * statement for all of them, soon after there was something and seldom later. Whoever commits in
 * this process makes it ask at once. After a commit in this process, or where it has found
 * something just before, it opens the windows itself and hands them over with their first pages:
 * one round trip less for each message.
 *
 * <p>A lane that asks leaves its writing to the polling thread until it has taken its request back,
 * so that the two never write at the same time and each knows what the other wrote.
 *
 * <p>Thread-safe. One {@link #session} runs at a time.
 */
public final class IdlePoll {
  private static final Logger log = LoggerFactory.getLogger(IdlePoll.class);
  private static final long SLOW_NANOS = Duration.ofMillis(10).toNanos();

  /** A single slow poll may have waited for a processor. */
  private static final int SLOW_POLLS = 3;

  /** Twice as much each time while it does not help: then it is not rows that make polls slow. */
  private static final long EMPTY_WINDOWS_APART = Duration.ofMillis(500).toNanos();

  private static final long MOST_APART = Duration.ofMinutes(1).toNanos();
  private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long ONLY_ASK_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long WARN_AGAIN_NANOS = Duration.ofSeconds(10).toNanos();
  private static final Duration LONGEST_WAIT = Duration.ofMillis(500);

  /**
   * Windows of so many lanes at most are opened in one text, whose pages together are as large as
   * one; of more lanes it is only asked what waits.
   */
  static final int OPENED_TOGETHER = 8;

  private static final int OPENINGS_IN_A_ROW = 100;

  /** Beyond so many positions since the last floor, the lane raises it before it opens a window. */
  static final long REFRESH_BEYOND = 1_000;

  /** What was found for a lane. */
  sealed interface Found {}

  /**
   * Something waits, or an empty window should be opened.
   *
   * @param window the lane's window number when it was looked for
   * @param poll what was seen
   */
  record Seen(long window, WindowReader.Poll poll) implements Found {}

  /**
   * The lane's window was opened.
   *
   * @param window the window
   * @param asked before it was asked for, in terms of {@link System#nanoTime}
   */
  record Opened(LaneLog.Opened window, long asked) implements Found {}

  /**
   * It is unknown whether the lane's window was opened: it is claimed anew.
   *
   * @param why what failed
   */
  record Unknown(Throwable why) implements Found {}

  private record Waiting(LaneState state, Consumer<Found> told) {}

  private final WindowReader reader;
  private final LaneLog lanes;
  private final int pageRows;
  private final long pageBytes;
  private final long shortestNanos;
  private final long longestNanos;
  private final Lock lock = new ReentrantLock();
  private final Condition givenBack = lock.newCondition();
  private final Map<Integer, Waiting> waiting = new ConcurrentHashMap<>();
  private final Set<Integer> inHand = new HashSet<>();
  private volatile long position;
  private final Wakeup wakeup = new Wakeup();
  private volatile boolean committed;
  private volatile boolean stopping;
  private volatile long activeAt = System.nanoTime();
  private long polledAt = System.nanoTime();
  private long pollNanos;
  private int slowPolls;
  private long emptyWindowsApart = EMPTY_WINDOWS_APART;
  private boolean foundLast;
  private long warnedAt = System.nanoTime() - WARN_AGAIN_NANOS;
  private long emptyWindowsAt = System.nanoTime() - EMPTY_WINDOWS_APART;
  private long onlyAskUntil = System.nanoTime();
  private int openings;
  private boolean askNext;

  /**
   * @param reader asks what waits
   * @param lanes opens windows
   * @param settings the shortest and the longest pause between two polls, and how large pages are
   */
  public IdlePoll(WindowReader reader, LaneLog lanes, DrainSettings settings) {
    this.reader = reader;
    this.lanes = lanes;
    this.pageRows = settings.pageRows();
    this.pageBytes = settings.pageBytes();
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
   * Ask for this lane, which has no open window, until something is found. Until then, and until it
   * is {@link #takeBack taken back}, only the polling thread writes the lane.
   *
   * @param isNew whether the lane had something to do since it last asked
   * @param told called then, once, on the polling thread: it must return at once
   */
  void ask(LaneState state, boolean isNew, Consumer<Found> told) {
    boolean alone = waiting.isEmpty();
    waiting.put(state.lane(), new Waiting(state, told));
    if (isNew) {
      activeAt = System.nanoTime();
    }
    if (isNew || alone) {
      wakeup.wake();
    }
  }

  /**
   * Do not ask for this lane any more. Waits for a text that may open its window; when it returns,
   * the lane was told what came of it, and nobody but the caller writes the lane.
   */
  void takeBack(int lane) {
    lock.lock();
    try {
      while (inHand.contains(lane)) {
        givenBack.awaitUninterruptibly();
      }
      waiting.remove(lane);
    } finally {
      lock.unlock();
    }
  }

  /** The highest position that was seen. */
  long position() {
    return position;
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
    if (askNext) {
      return polledAt;
    }
    if (committed) {
      return polledAt + pollNanos;
    }
    long quiet = (polledAt - activeAt) / 6;
    return polledAt + Math.max(shortestNanos, Math.min(longestNanos, quiet));
  }

  private void poll() {
    long asked = System.nanoTime();
    boolean opens = mayOpen(asked);
    committed = false;
    foundLast = false;
    askNext = false;
    if (opens) {
      openings++;
      open(asked);
    } else {
      openings = 0;
      ask(asked);
    }
    polledAt = System.nanoTime();
    pollNanos = polledAt - asked;
  }

  /**
   * Where there may be nothing it is only asked, which costs half as much. Now and then it is so in
   * any case: a lane that was lost opens no window here, and learns it when it tries to open one
   * itself.
   */
  private boolean mayOpen(long now) {
    return (committed || foundLast)
        && !askNext
        && now - onlyAskUntil >= 0
        && openings < OPENINGS_IN_A_ROW
        && waiting.size() <= OPENED_TOGETHER
        && waiting.values().stream().noneMatch(lane -> isFarBack(lane, position));
  }

  private static boolean isFarBack(Waiting lane, long position) {
    return position - lane.state().nextFloor() > REFRESH_BEYOND;
  }

  /** Opens the windows of those for which something waits. */
  private void open(long asked) {
    List<Waiting> taken = take();
    if (taken.isEmpty()) {
      return;
    }
    Map<Integer, Found> found = new HashMap<>();
    Throwable failure = new IllegalStateException("the polling thread ended");
    try {
      LaneLog.Openings openings =
          lanes.openAny(
              taken.stream().map(Waiting::state).toList(),
              REFRESH_BEYOND,
              Math.max(1, pageRows / taken.size()),
              Math.max(1, pageBytes / taken.size()));
      failure = null;
      openings.windows().forEach((lane, window) -> found.put(lane, new Opened(window, asked)));
      position = openings.position();
      foundLast = !openings.windows().isEmpty();
      // Asking finds out who was slow, and tells a lane that is far back to open its window itself.
      askNext =
          countIfSlow(asked)
              || taken.stream().anyMatch(lane -> isFarBack(lane, openings.position()));
    } catch (SQLException | RuntimeException e) {
      failure = e;
      warn(e);
      // One of them may be the reason: it shall not hold up the others again.
      onlyAskUntil = System.nanoTime() + ONLY_ASK_NANOS;
      activeAt = asked - SECOND_NANOS;
    } finally {
      giveBack(taken, found, failure);
    }
  }

  /** From now on these lanes wait for us before they write anything. */
  private List<Waiting> take() {
    lock.lock();
    try {
      List<Waiting> taken =
          waiting.values().stream()
              .sorted(Comparator.comparingInt(lane -> lane.state().lane()))
              .limit(OPENED_TOGETHER)
              .toList();
      for (Waiting lane : taken) {
        waiting.remove(lane.state().lane());
        inHand.add(lane.state().lane());
      }
      return taken;
    } finally {
      lock.unlock();
    }
  }

  private void giveBack(
      List<Waiting> taken, Map<Integer, Found> found, @Nullable Throwable failure) {
    lock.lock();
    try {
      for (Waiting lane : taken) {
        int number = lane.state().lane();
        Found what = failure == null ? found.get(number) : new Unknown(failure);
        inHand.remove(number);
        if (what == null) {
          waiting.putIfAbsent(number, lane);
        } else {
          lane.told().accept(what);
        }
      }
      givenBack.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean countIfSlow(long asked) {
    boolean isSlow = System.nanoTime() - asked > SLOW_NANOS;
    slowPolls = isSlow ? slowPolls + 1 : 0;
    emptyWindowsApart = isSlow ? emptyWindowsApart : EMPTY_WINDOWS_APART;
    return isSlow;
  }

  /** Tells those for which something waits. */
  private void ask(long asked) {
    List<Waiting> all = List.copyOf(waiting.values());
    try {
      Map<Integer, WindowReader.Poll> polls =
          reader.poll(all.stream().map(Waiting::state).toList());
      long answered = System.nanoTime();
      // Slow polls have walked the rows of an open transaction. After an empty window they lie
      // below the floor, and transactions that are listed as running are not looked into.
      boolean slow =
          countIfSlow(asked)
              && slowPolls >= SLOW_POLLS
              && answered - emptyWindowsAt > emptyWindowsApart;
      if (slow) {
        emptyWindowsAt = answered;
        emptyWindowsApart = Math.min(2 * emptyWindowsApart, MOST_APART);
      }
      foundLast = polls.values().stream().anyMatch(WindowReader.Poll::anything);
      for (Waiting lane : all) {
        WindowReader.Poll poll = polls.get(lane.state().lane());
        if (poll != null) {
          position = poll.position();
          if (poll.anything() || slow) {
            tell(lane, poll);
          }
        }
      }
    } catch (SQLException | RuntimeException e) {
      warn(e);
      activeAt = asked - SECOND_NANOS;
    }
  }

  /** Tells who asks for the lane now: it may have asked anew meanwhile, for the same window. */
  private void tell(Waiting asked, WindowReader.Poll poll) {
    LaneState state = asked.state();
    Waiting now = waiting.get(state.lane());
    if (now != null
        && now.state().window() == state.window()
        && Objects.equals(now.state().claimId(), state.claimId())
        && waiting.remove(state.lane(), now)) {
      now.told().accept(new Seen(state.window(), poll));
    }
  }

  private void warn(Exception failure) {
    long now = System.nanoTime();
    if (now - warnedAt >= WARN_AGAIN_NANOS) {
      warnedAt = now;
      log.warn("It is unknown whether messages wait; asked again soon: {}", failure.getMessage());
    }
  }
}
