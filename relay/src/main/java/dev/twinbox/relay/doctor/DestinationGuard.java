package dev.twinbox.relay.doctor;

import dev.twinbox.broker.Supervision;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which destinations of a broker may be published to. The first question about a destination
 * is answered by a look at the broker, on a thread of the guard's own; later ones from memory,
 * while the look is repeated now and then. What cannot be read is allowed, said once, and looked at
 * again soon. Thread-safe.
 */
final class DestinationGuard implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DestinationGuard.class);

  private static final int MOST_KNOWN = 10_000;

  /** Who waits for an answer is not to wait for all of them. */
  private static final int MOST_AT_ONCE = 100;

  /**
   * For how long verdicts hold.
   *
   * @param allowed of what is safe
   * @param refused of what is not
   * @param unknown of what could not be read
   * @param oneLook for so long a look serves for several destinations: routing keys may be without
   *     end
   */
  record Periods(Duration allowed, Duration refused, Duration unknown, Duration oneLook) {
    static final Periods DEFAULTS =
        new Periods(
            Duration.ofMinutes(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofSeconds(4));
  }

  /**
   * What was found about a destination.
   *
   * @param refusal why it may not be published to, or null
   * @param until when it is to be looked at again; {@link System#nanoTime()}
   */
  record Verdict(@Nullable String refusal, long until) {}

  private final String broker;
  private final Supplier<BrokerExamination> examinations;
  private final Periods periods;
  private final ScheduledExecutorService examiner;
  private final Map<String, Verdict> verdicts = new ConcurrentHashMap<>();

  /** Destinations to be looked at, with who waits for the answer; guarded by itself. */
  private final Map<String, List<Runnable>> asked = new HashMap<>();

  // Used by the examiner's thread only.
  private final Set<String> noted = new HashSet<>();
  private @Nullable BrokerExamination look;
  private long lookedAt;

  DestinationGuard(String broker, Supplier<BrokerExamination> examinations) {
    this(broker, examinations, Periods.DEFAULTS);
  }

  DestinationGuard(String broker, Supplier<BrokerExamination> examinations, Periods periods) {
    this.broker = broker;
    this.examinations = examinations;
    this.periods = periods;
    ScheduledThreadPoolExecutor one =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "twinbox-" + broker + "-guard");
              thread.setDaemon(true);
              return thread;
            });
    // Now: when it is needed, there may be no thread left.
    one.prestartAllCoreThreads();
    examiner = one;
  }

  /**
   * The verdict on a destination. Cheap and never blocking.
   *
   * @param whenKnown runs, on the guard's thread, once there is a verdict; only if there is none
   *     yet
   * @return null when there is none yet
   */
  @Nullable Verdict ask(String destination, Runnable whenKnown) {
    Verdict known = verdicts.get(destination);
    if (known == null) {
      return askFirst(destination, whenKnown);
    }
    if (known.until() - System.nanoTime() < 0) {
      request(destination, () -> {});
    }
    return known;
  }

  private @Nullable Verdict askFirst(String destination, Runnable whenKnown) {
    synchronized (asked) {
      Verdict known = verdicts.get(destination);
      if (known == null) {
        request(destination, whenKnown);
      }
      return known;
    }
  }

  private void request(String destination, Runnable whenKnown) {
    synchronized (asked) {
      List<Runnable> waiting = asked.get(destination);
      if (waiting != null) {
        waiting.add(whenKnown);
        return;
      }
      asked.put(destination, new ArrayList<>(List.of(whenKnown)));
      if (asked.size() == 1) {
        try {
          examiner.execute(this::examineAsked);
        } catch (RejectedExecutionException e) {
          asked.clear(); // closed; so are the publishers that ask
        }
      }
    }
  }

  private void examineAsked() {
    List<String> destinations;
    synchronized (asked) {
      destinations = asked.keySet().stream().limit(MOST_AT_ONCE).toList();
    }
    for (String destination : destinations) {
      if (!Supervision.run("a look at " + destination, () -> judge(destination))) {
        // Whoever waits is to go on. It is looked at again soon.
        keep(destination, new Verdict(null, System.nanoTime() + periods.unknown().toNanos()));
      }
    }
    List<Runnable> waiting = new ArrayList<>();
    synchronized (asked) {
      for (String destination : destinations) {
        List<Runnable> who = asked.remove(destination);
        waiting.addAll(who == null ? List.of() : who);
      }
      if (!asked.isEmpty() && !examiner.isShutdown()) {
        examiner.execute(this::examineAsked);
      }
    }
    waiting.forEach(who -> Supervision.run("the answer to a publisher", who));
  }

  private void judge(String destination) {
    List<Finding> findings;
    try {
      // What the publisher sees itself, such as a record without a key, is left to it.
      findings = look().destination(destination, /* keyless= */ false);
    } catch (RuntimeException e) {
      log.warn("Destination {} could not be looked at, and is published to", destination, e);
      findings = List.of();
    }
    Diagnosis diagnosis = new Diagnosis(findings);
    List<Finding> refusals = diagnosis.refusals();
    boolean unread = diagnosis.count(Severity.UNKNOWN) > 0;
    Duration holds =
        !refusals.isEmpty() ? periods.refused() : unread ? periods.unknown() : periods.allowed();
    Verdict verdict =
        new Verdict(
            refusals.isEmpty()
                ? null
                : refusals.stream().map(Finding::toString).collect(Collectors.joining("; ")),
            System.nanoTime() + holds.toNanos());
    Verdict before = keep(destination, verdict);
    tell(destination, diagnosis, before, verdict);
    if (unread) {
      forgetLook();
    }
  }

  private @Nullable Verdict keep(String destination, Verdict verdict) {
    if (verdicts.size() >= MOST_KNOWN) {
      verdicts.clear();
    }
    return verdicts.put(destination, verdict);
  }

  private void tell(
      String destination, Diagnosis diagnosis, @Nullable Verdict before, Verdict now) {
    boolean wasRefused = before != null && before.refusal() != null;
    if (now.refusal() != null && !wasRefused) {
      log.error(
          "{} is not published to, because messages could be lost; they wait. {}",
          destination,
          now.refusal());
    } else if (now.refusal() == null && wasRefused) {
      log.info("{} is published to again", destination);
    }
    for (Finding finding : diagnosis.findings()) {
      boolean worthALine =
          finding.severity() != Severity.OK && !finding.isRefused() && noted.size() < MOST_KNOWN;
      if (worthALine && noted.add(finding.code() + finding.subject())) {
        log.warn("{}", finding);
      }
    }
  }

  private BrokerExamination look() {
    long now = System.nanoTime();
    BrokerExamination present = look;
    if (present == null || now - lookedAt > periods.oneLook().toNanos()) {
      forgetLook();
      present = examinations.get();
      look = present;
      lookedAt = System.nanoTime();
      forgetLater(present);
    }
    return present;
  }

  private void forgetLater(BrokerExamination opened) {
    Runnable forget =
        () -> {
          if (look == opened) {
            forgetLook();
          }
        };
    if (!examiner.isShutdown()) {
      var unused = examiner.schedule(forget, periods.oneLook().toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void forgetLook() {
    BrokerExamination present = look;
    look = null;
    if (present != null) {
      // What was found stands, whether or not the connections can be closed.
      Supervision.run("closing a look at " + broker, present::close);
    }
  }

  /** Ends the guard's thread. */
  @Override
  public void close() {
    try {
      examiner.execute(this::forgetLook);
    } catch (RejectedExecutionException e) {
      log.debug("The guard of {} was closed before", broker);
    }
    examiner.shutdown();
  }
}
