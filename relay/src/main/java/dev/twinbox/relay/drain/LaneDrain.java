package dev.twinbox.relay.drain;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.store.LaneClosing;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One lane on one relay, for as long as the relay lives: claims it when it may, drains window after
 * window in bounded sessions, and lets go of it when told to or when another relay has taken it.
 *
 * <p>Thread-safe: one {@link #session} runs at a time, a second one waits for it. Nothing is held
 * between two calls but the claim and the publisher; no database transaction is open while a broker
 * is waited for.
 */
public final class LaneDrain {
  private static final Logger log = LoggerFactory.getLogger(LaneDrain.class);

  /** How long outstanding outcomes are waited for after the first failure, while they come. */
  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(1);

  private static final Duration TELL_PROGRESS = Duration.ofSeconds(2);

  private static final Duration NO_MORE_COME = Duration.ofMillis(200);

  /**
   * Beyond so many positions since its floor, a lane that was claimed opens a window whatever
   * waits: its pages walk so far in bounded steps, and a poll would walk it at once.
   */
  private static final long OPEN_BEYOND = 100_000;

  /** How long an idle lane waits between two looks at its lease and at what is parked. */
  private static final Duration IDLE = Duration.ofMillis(300);

  private static final Duration WITH_PARKED = Duration.ofMillis(20);

  private final int lane;
  private final String relay;
  private final Broker broker;
  private final LaneStore store;
  private final DrainSettings settings;
  private final IdlePoll idlePoll;
  private final RateLimiter limiter;
  private final Counters counters;
  private final Predicate<LaneDrain> mayHold;
  private final Failures failures;
  private final Destinations destinations;
  private final Wakeup wakeup = new Wakeup();
  private final ReentrantLock turn = new ReentrantLock();
  private volatile boolean stopping;
  private volatile boolean retired;
  private volatile boolean waiting;
  private volatile boolean held;
  private volatile boolean doubted;
  private final LaneHealth health;
  private long troubledCursor;
  private volatile int inFlight;
  private final AtomicReference<IdlePoll.@Nullable Found> found = new AtomicReference<>();
  private IdlePoll.@Nullable Seen seen;
  private boolean asked;
  private long askedWindow = -1;
  private @Nullable LaneContext context;
  private @Nullable ParkedDrain parked;
  private @Nullable Publisher publisher;
  private @Nullable WindowDrain window;

  /**
   * @param lane the lane's number
   * @param relay the name of this relay
   * @param broker where the lane's messages go
   * @param store the database
   * @param settings limits and pauses
   * @param idlePoll asks whether anything waits, for all lanes of the relay
   * @param limiter deals out what may go to limited destinations
   * @param counters what is counted
   * @param mayHold whether this relay may hold this lane now, given the others
   * @param clock for failures' times
   */
  public LaneDrain(
      int lane,
      String relay,
      Broker broker,
      LaneStore store,
      DrainSettings settings,
      IdlePoll idlePoll,
      RateLimiter limiter,
      Counters counters,
      Predicate<LaneDrain> mayHold,
      InstantSource clock) {
    this.lane = lane;
    this.relay = relay;
    this.broker = broker;
    this.store = store;
    this.settings = settings;
    this.idlePoll = idlePoll;
    this.limiter = limiter;
    this.counters = counters;
    this.mayHold = mayHold;
    this.failures = new Failures(settings.retry(), clock, System::nanoTime);
    this.destinations = new Destinations(lane, settings.retry(), failures, counters);
    this.health = new LaneHealth(broker.name(), destinations);
  }

  /** The lane's number. */
  public int lane() {
    return lane;
  }

  /** The name of the broker that the lane's messages go to. */
  public String broker() {
    return broker.name();
  }

  /** Whether this relay holds the lane, as far as it knows. */
  public boolean isHeld() {
    return held;
  }

  /**
   * What the database says of the lane.
   *
   * @param isRetired whether nothing is enqueued into it any more; it is closed when it is drained
   * @param isWaiting whether it must not be begun yet, because retired lanes come first
   */
  public void know(boolean isRetired, boolean isWaiting) {
    retired = isRetired;
    waiting = isWaiting;
  }

  /** Whether retired lanes come first. */
  public boolean isWaiting() {
    return waiting;
  }

  /**
   * What keeps the lane's messages from going out, each a sentence; empty while they do. A broker
   * that says nothing is a problem after three seconds. Callable from any thread.
   */
  public List<String> problems() {
    return health.problems();
  }

  /** The destinations of this lane that take nothing, while the lane is ours. */
  public List<Trouble> troubles() {
    return destinations.troubles();
  }

  /** How many messages are handed over to the broker and not confirmed. */
  public int inFlight() {
    return inFlight;
  }

  /**
   * What the lane remembers may be another database's, by which nothing waits: whether the lane is
   * ours still is found out soon.
   */
  public void doubt() {
    doubted = true;
    wakeup.wake();
  }

  /** Ends the running session soon, and makes the next one finish up and release the lane. */
  public void requestStop() {
    stopping = true;
    wakeup.wake();
  }

  /**
   * Works on the lane for about so long, if it is or can be ours. Returns early when it is not.
   * Does not throw: what goes wrong is logged and tried again in a later session.
   */
  public void session(Duration length) {
    turn.lock();
    try {
      work(length);
    } finally {
      turn.unlock();
    }
  }

  private void work(Duration length) {
    try {
      if (context == null && !takeLane()) {
        return;
      }
      long end = System.nanoTime() + length.toNanos();
      while (context != null && !stopping && mayHold.test(this) && System.nanoTime() - end < 0) {
        round();
      }
      if (context != null && (stopping || !mayHold.test(this))) {
        finish();
      }
    } catch (LaneLostException e) {
      log.warn("{}", e.getMessage());
      abandon();
    } catch (SQLException e) {
      log.warn("Lane {}: {}; the lane is claimed anew", lane, e.getMessage());
      log.debug("The database failed", e);
      abandon();
      wakeup.await(failures.pause());
    } catch (RuntimeException e) {
      log.error("Lane {}: unexpected failure; the lane is claimed anew", lane, e);
      abandon();
      health.failed(lane, e);
      wakeup.await(failures.pause());
    } catch (Error e) {
      // What was half done must not be gone on with: a message could wait for ever for its outcome.
      abandon();
      health.failed(lane, e);
      throw e;
    }
  }

  private boolean takeLane() throws SQLException, LaneLostException {
    if (stopping || !mayHold.test(this)) {
      return false;
    }
    Optional<Claim> taken = Claim.take(store.log(), settings.lease(), lane, relay);
    if (taken.isEmpty()) {
      health.forget(); // another relay has it
      return false;
    }
    LaneContext ours =
        new LaneContext(
            taken.get(),
            store,
            settings,
            failures,
            destinations,
            limiter,
            counters,
            wakeup,
            new PageRows(settings.pageRows()));
    context = ours;
    held = true;
    parked = ParkedDrain.of(ours, () -> broker.open(lane));
    LaneState state = ours.claim().state();
    log.info("Lane {} is ours: epoch {}, window {}", lane, state.epoch(), state.window());
    if (store.closing().isDrained(lane)) {
      // What is parked was moved in part: nothing more may be published from here.
      close();
      return false;
    }
    if (!state.isOpen() && state.nextFloor() - state.floor() > OPEN_BEYOND) {
      ours.claim().open();
    }
    return true;
  }

  /** One poll, or one step of the open window; and one step of what is parked. */
  private void round() throws SQLException, LaneLostException {
    LaneContext ours = context();
    Claim claim = ours.claim();
    takeBack(ours);
    if (doubted) {
      doubted = false;
      claim.renew();
    } else if (claim.mayHaveExpired()) {
      // Another relay may have taken it; whatever it decided stands in the log.
      claim.renewIfDue();
    }
    parked().step();
    // Known before the poll: what it does not find then, nobody can have enqueued since.
    boolean isLast = retired;
    if (window == null && !claim.state().isOpen() && !openWindow(ours)) {
      if (isLast) {
        close();
        return;
      }
      inFlight = parked().unsettled();
      health.well();
      noteWaiting();
      claim.renewIfDue();
      if (idlePoll.position() - claim.state().nextFloor() > IdlePoll.REFRESH_BEYOND / 2) {
        // Before it is so far back that its windows cannot be opened together with others'.
        claim.refresh();
      }
      ask(claim.state());
      wakeup.await(parked().isHolding() ? WITH_PARKED : IDLE);
      return;
    }
    if (window == null) {
      window = WindowDrain.of(ours, parked());
    }
    window.step(publisher());
    inFlight = window.rowsInFlight() + parked().unsettled();
    if (window.cursor() > troubledCursor) {
      health.well();
    }
    noteWaiting();
    if (window.isTroubled()) {
      recover(window);
    } else if (window.isDrained()) {
      settle(ours);
      health.well();
      counters.windowSettled();
    }
  }

  /** Under load the next window waits already: it is opened in the same round trip. */
  private void settle(LaneContext ours) throws SQLException, LaneLostException {
    window = null;
    if (retired || stopping || !mayHold.test(this)) {
      ours.claim().settle();
      return;
    }
    long asked = System.nanoTime();
    Optional<WindowReader.Page> first =
        ours.claim().settleAndOpen(ours.pageRows().next(), settings.pageBytes());
    if (first.isPresent()) {
      window = WindowDrain.of(ours, parked(), first.get(), asked);
    }
  }

  /**
   * Of a retired lane, when nothing unpublished is left in the outbox: moves what is parked to its
   * keys' new lanes, and closes the lane. Interrupted anywhere, the next owner goes on with it.
   */
  private void close() throws SQLException, LaneLostException {
    awaitOutcomes(parked()::unsettled, settings.stopDeadline(), settings.stopDeadline());
    parked().finish();
    LaneClosing closing = store.closing();
    claim().change(closing::drained, "closing");
    while (!stopping && !interrupted()) {
      if (closing.isAnythingLeft(lane)) {
        claim().change(closing::move, "moving to other lanes");
      } else {
        claim().change(closing::close, "closing");
        if (closing.isClosed(lane)) {
          log.info("Lane {} is drained and closed; its broker has other lanes now", lane);
          abandon();
          return;
        }
      }
    }
    finish();
  }

  private void ask(LaneState state) {
    boolean isNew = state.window() != askedWindow;
    askedWindow = state.window();
    asked = true;
    idlePoll.ask(state, isNew, this::found);
  }

  /**
   * Before the lane is written: the polling thread may have opened its window, and opens none
   * afterwards.
   */
  private void takeBack(LaneContext ours) throws SQLException, LaneLostException {
    if (!asked) {
      return;
    }
    idlePoll.takeBack(lane);
    asked = false;
    IdlePoll.Found what = found.getAndSet(null);
    if (what instanceof IdlePoll.Opened opened) {
      WindowReader.Page first = ours.claim().opened(opened.window(), opened.asked());
      window = WindowDrain.of(ours, parked(), first, opened.asked());
    } else if (what instanceof IdlePoll.Unknown unknown) {
      throw new SQLException(
          "It is unknown whether the window was opened: " + unknown.why().getMessage(),
          unknown.why());
    } else if (what instanceof IdlePoll.Seen waits) {
      seen = waits;
    }
  }

  private void found(IdlePoll.Found what) {
    found.set(what);
    wakeup.wake();
  }

  private boolean openWindow(LaneContext ours) throws SQLException, LaneLostException {
    Claim claim = ours.claim();
    WindowReader.Poll poll = poll(claim.state());
    if (poll == null) {
      return false;
    }
    if (poll.position() - claim.state().nextFloor() > IdlePoll.REFRESH_BEYOND) {
      claim.refresh();
    }
    if (!poll.anything()) {
      claim.open();
      return true;
    }
    long asked = System.nanoTime();
    WindowReader.Page first =
        claim
            .openIfAny(ours.pageRows().next(), settings.pageBytes())
            .orElseThrow(() -> new LaneLostException(lane, "open"));
    window = WindowDrain.of(ours, parked(), first, asked);
    return true;
  }

  /** What was found for the lane as it is now, or null. A retired one asks by itself. */
  private WindowReader.@Nullable Poll poll(LaneState state) throws SQLException {
    IdlePoll.Seen waits = seen;
    seen = null;
    if (retired) {
      WindowReader.Poll poll = store.reader().poll(state);
      return poll.anything() ? poll : null;
    }
    return waits == null || waits.window() != state.window() ? null : waits.poll();
  }

  /** Lets what is outstanding settle for a moment, then closes the publisher and starts over. */
  private void recover(WindowDrain troubled) throws SQLException, LaneLostException {
    awaitOutcomes(troubled::unsettled, AFTER_TROUBLE, NO_MORE_COME);
    closePublisher();
    WindowDrain.Recovery recovery = troubled.recover();
    Optional<Outcome> trouble = recovery.trouble();
    boolean stands = trouble.isPresent() || !recovery.gotOn();
    troubledCursor = troubled.cursor();
    boolean isNews = !health.isTroubled();
    if (stands) {
      trouble.or(recovery::unknown).ifPresent(health::troubled);
    } else {
      health.well();
    }
    noteWaiting();
    if (trouble.isPresent() && store.ring().isPinnedBy(claim().state(), troubled.cursor())) {
      log.warn(
          "Lane {}: {}; its messages are parked meanwhile, since they fill the outbox",
          lane,
          trouble.get());
      destinations.evacuate();
    } else if (stands) {
      Duration pause = failures.pause();
      log.atLevel(isNews ? Level.INFO : Level.DEBUG)
          .log(
              "Lane {}: {}; next try in {} ms",
              lane,
              trouble
                  .or(recovery::unknown)
                  .map(Outcome::toString)
                  .orElse("what became of the messages is unknown"),
              pause.toMillis());
      waitRenewing(pause);
    }
  }

  /** For whoever asks while this thread is busy. */
  private void noteWaiting() {
    WindowDrain open = window;
    ParkedDrain beside = parked;
    Long since = open == null ? null : open.unsettledSince();
    Long besideSince = beside == null ? null : beside.unsettledSince();
    if (since == null && besideSince == null) {
      health.nothingWaits();
    } else if (since == null || (besideSince != null && besideSince - since < 0)) {
      health.waits(
          Objects.requireNonNull(besideSince),
          Objects.requireNonNull(beside).unsettled(),
          beside.waitsFor());
    } else {
      Publisher waitsFor = publisher;
      health.waits(
          since,
          Objects.requireNonNull(open).unsettled(),
          waitsFor == null ? "" : waitsFor.waitsFor());
    }
  }

  private void awaitOutcomes(IntSupplier unsettled, Duration atMost, Duration quiet)
      throws SQLException, LaneLostException {
    long end = System.nanoTime() + atMost.toNanos();
    long quietSince = System.nanoTime();
    for (int left = unsettled.getAsInt(); left > 0 && !interrupted(); ) {
      long now = System.nanoTime();
      if (now - end >= 0 || now - quietSince >= quiet.toNanos()) {
        return;
      }
      claim().renewIfDue();
      wakeup.await(Duration.ofMillis(20));
      int leftNow = unsettled.getAsInt();
      quietSince = leftNow < left ? System.nanoTime() : quietSince;
      left = leftNow;
    }
  }

  private void waitRenewing(Duration pause) throws SQLException, LaneLostException {
    long end = System.nanoTime() + pause.toNanos();
    for (long left = pause.toNanos();
        left > 0 && !stopping && !interrupted();
        left = end - System.nanoTime()) {
      claim().renewIfDue();
      wakeup.await(Duration.ofNanos(Math.min(left, 200_000_000)));
    }
  }

  private static boolean interrupted() {
    return Thread.currentThread().isInterrupted();
  }

  /** Waits for outstanding confirms to a deadline, notes what is settled, frees the lease. */
  private void finish() throws SQLException, LaneLostException {
    takeBack(context());
    Claim ours = claim();
    long end = System.nanoTime() + patience().toNanos();
    awaitLast(parked()::unsettled, end);
    parked().finish();
    long cursor = ours.state().cursor();
    List<Long> ahead = ours.state().ahead();
    if (window != null) {
      awaitLast(window::unsettled, end);
      closePublisher();
      if (window.finish()) {
        ours.settle();
        cursor = 0;
        ahead = List.of();
      } else {
        cursor = window.cursor();
        ahead = window.aheadBounded();
      }
    }
    ours.release(cursor, ahead);
    log.info("Lane {} is released", lane);
    abandon();
  }

  /** A broker that is known to be away will not confirm within the deadline either. */
  private Duration patience() {
    noteWaiting();
    boolean away = health.isTroubled() || health.isOverdue();
    Duration limit = settings.stopDeadline();
    return away && limit.compareTo(AFTER_TROUBLE) > 0 ? AFTER_TROUBLE : limit;
  }

  private void awaitLast(IntSupplier unsettled, long end) throws SQLException, LaneLostException {
    for (int waiting = unsettled.getAsInt(); waiting > 0; waiting = unsettled.getAsInt()) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      if (left.isNegative() || left.isZero() || interrupted()) {
        log.warn(
            "Lane {}: {} messages are not confirmed by {}; they go out again, with the same ids",
            lane,
            waiting,
            broker.name());
        return;
      }
      Duration quiet = left.compareTo(TELL_PROGRESS) < 0 ? left : TELL_PROGRESS;
      log.info(
          "Lane {} stops: {} messages wait for {} to confirm them, for {} ms at most",
          lane,
          waiting,
          broker.name(),
          left.toMillis());
      awaitOutcomes(unsettled, quiet, quiet);
    }
  }

  /** Forgets the lane. The next session claims it anew, at once if nobody else has meanwhile. */
  private void abandon() {
    ParkedDrain beside = parked;
    idlePoll.takeBack(lane);
    asked = false;
    askedWindow = -1;
    found.set(null);
    seen = null;
    context = null;
    parked = null;
    window = null;
    held = false;
    health.forget();
    troubledCursor = 0;
    inFlight = 0;
    failures.forget();
    destinations.forget();
    closePublisher();
    if (beside != null) {
      beside.closePublisher();
    }
  }

  private LaneContext context() throws LaneLostException {
    LaneContext ours = context;
    if (ours == null) {
      throw new LaneLostException(lane, "use without a claim");
    }
    return ours;
  }

  private Claim claim() throws LaneLostException {
    return context().claim();
  }

  private ParkedDrain parked() throws LaneLostException {
    ParkedDrain beside = parked;
    if (beside == null) {
      throw new LaneLostException(lane, "use without a claim");
    }
    return beside;
  }

  private Publisher publisher() {
    Publisher open = publisher;
    if (open == null) {
      open = broker.open(lane);
      publisher = open;
    }
    return open;
  }

  private void closePublisher() {
    Publisher open = publisher;
    publisher = null;
    if (open != null) {
      Supervision.run("closing a publisher", open::close);
    }
  }
}
