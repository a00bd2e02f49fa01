package dev.twinbox.testkit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The messages as they appeared at one place, the broker or a consumer. */
final class TallyView {
  private final String name;
  private final boolean repeatsAllowed;
  private final BitSet seen = new BitSet();
  private final List<TalliedMessage> firstAppearances = new ArrayList<>();
  private final Finding repeats = new Finding();
  private final Map<TalliedMessage, Instant> firstTimes = new IdentityHashMap<>();
  private final List<Repeat> repeated = new ArrayList<>();

  private record Repeat(TalliedMessage message, Instant at) {}

  TallyView(String name, boolean repeatsAllowed) {
    this.name = name;
    this.repeatsAllowed = repeatsAllowed;
  }

  private static final class Finding {
    private static final int EXAMPLES = 20;
    private final List<Object> examples = new ArrayList<>();
    private long count;

    void add(Object example) {
      count++;
      if (examples.size() < EXAMPLES) {
        examples.add(example);
      }
    }

    TallyReport.Finding report() {
      return new TallyReport.Finding(count, examples.stream().map(Object::toString).toList());
    }
  }

  void saw(TalliedMessage message) {
    if (seen.get(message.index())) {
      repeats.add(message);
    } else {
      seen.set(message.index());
      firstAppearances.add(message);
    }
  }

  void saw(TalliedMessage message, Instant at) {
    if (seen.get(message.index())) {
      repeated.add(new Repeat(message, at));
    } else {
      firstTimes.put(message, at);
    }
    saw(message);
  }

  TallyReport.View check(Collection<TalliedMessage> messages, UncertainPeriods uncertain) {
    Finding unexplained = new Finding();
    for (Repeat repeat : repeated) {
      Instant first = firstTimes.getOrDefault(repeat.message, repeat.at);
      if (!uncertain.between(first, repeat.at)) {
        unexplained.add(repeat.message + " first at " + first + ", again at " + repeat.at);
      }
    }
    Finding lost = new Finding();
    messages.stream()
        .filter(message -> message.mustAppear() && !seen.get(message.index()))
        .forEach(lost::add);
    Finding ghosts = new Finding();
    firstAppearances.stream().filter(TalliedMessage::mustNotAppear).forEach(ghosts::add);
    return new TallyReport.View(
        name,
        firstAppearances.size(),
        repeats.count,
        lost.report(),
        ghosts.report(),
        (repeatsAllowed ? new Finding() : repeats).report(),
        turnedRound().report(),
        unexplained.report());
  }

  private Finding turnedRound() {
    Finding found = new Finding();
    Map<String, TalliedMessage> highest = new HashMap<>();
    for (TalliedMessage message : firstAppearances) {
      String key = message.key();
      if (key == null || message.isSetAside() || message.mustNotAppear()) {
        continue;
      }
      TalliedMessage before = highest.get(key);
      if (before != null && before.order() > message.order()) {
        found.add(message + " after #" + before.order());
      } else {
        highest.put(key, message);
      }
    }
    return found;
  }
}
