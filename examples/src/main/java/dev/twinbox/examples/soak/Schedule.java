package dev.twinbox.examples.soak;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Which faults hit which processes, in which order, when and for how long: the same for the same
 * seed, duration and kinds. The exact time of a fault depends on the system, because it must hit
 * unconfirmed work.
 */
record Schedule(List<Step> steps) {
  private static final Duration USUAL_GAP = Duration.ofMillis(1_500);

  Schedule {
    steps = List.copyOf(steps);
  }

  /**
   * One fault to come.
   *
   * @param number counts from 1
   * @param kind what is done
   * @param pick chooses among those to whom it can be done
   * @param after when it is due, from the beginning
   * @param hold for how long, where the fault has a duration
   */
  record Step(int number, FaultKind kind, int pick, Duration after, Duration hold) {}

  /** Rounds, in each of which every kind has its turn once, as many as fit into the time. */
  static Schedule of(long seed, Duration duration, List<FaultKind> kinds) {
    if (kinds.isEmpty()) {
      return new Schedule(List.of());
    }
    Random random = new Random(seed);
    long rounds =
        Math.max(1, Math.round(1.0 * duration.toMillis() / USUAL_GAP.toMillis() / kinds.size()));
    List<FaultKind> order = new ArrayList<>();
    for (long round = 0; round < rounds; round++) {
      List<FaultKind> shuffled = new ArrayList<>(kinds);
      Collections.shuffle(shuffled, random);
      order.addAll(shuffled);
    }
    double gap = 1.0 * duration.toMillis() / order.size();
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      FaultKind kind = order.get(i);
      long after = (long) (gap * (i + 0.8 * random.nextDouble()));
      steps.add(
          new Step(
              i + 1,
              kind,
              random.nextInt(1_000),
              Duration.ofMillis(after),
              Duration.ofMillis(hold(kind, random))));
    }
    return new Schedule(steps);
  }

  /** Every second pause of a relay or its links outlasts the lease, every second one does not. */
  private static long hold(FaultKind kind, Random random) {
    boolean isLong = random.nextBoolean();
    double share = random.nextDouble();
    return switch (kind) {
      case PAUSE_RELAY, FREEZE_RELAY_POSTGRES, FREEZE_RELAY_BROKER ->
          isLong ? between(3_500, 5_500, share) : between(200, 1_200, share);
      case PAUSE_CONSUMER, FREEZE_CONSUMER_POSTGRES, FREEZE_CONSUMER_BROKER ->
          isLong ? between(3_500, 5_000, share) : between(200, 1_200, share);
      case PAUSE_BROKER, RAISE_ALARM ->
          isLong ? between(1_500, 3_000, share) : between(200, 800, share);
      case PAUSE_POSTGRES -> isLong ? between(1_500, 3_000, share) : between(200, 800, share);
      case KILL_BROKER, KILL_RELAY, KILL_CONSUMER, KILL_PRODUCER -> between(0, 1_000, share);
      case CRASH_POSTGRES -> between(0, 500, share);
      case CUT_RELAY_POSTGRES, CUT_RELAY_BROKER, CUT_CONSUMER_POSTGRES, CUT_CONSUMER_BROKER -> 0;
    };
  }

  private static long between(long least, long most, double share) {
    return least + Math.round((most - least) * share);
  }
}
