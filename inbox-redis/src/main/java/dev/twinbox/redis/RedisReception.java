package dev.twinbox.redis;

import dev.twinbox.inbox.Admission;
import dev.twinbox.inbox.AdmissionTerms;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.CheckedDelivery;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.ErrorText;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Interruption;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.redis.RedisRecords.Ended;
import dev.twinbox.redis.RedisRecords.Finishing;
import dev.twinbox.redis.RedisRecords.State;
import dev.twinbox.redis.RedisRecords.Taking;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to a batch: its ids are taken in one round trip, its handlers run, and what they
 * have handed over is executed with the records in another. Thread-safe.
 */
final class RedisReception {
  private static final Logger log = LoggerFactory.getLogger(RedisReception.class);
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();
  private static final Receipt HELD = new Receipt.Held();
  private static final Duration SOON = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

  private final RedisRecords records;
  private final LeaseKeeper leases;
  private final RedisQuarantine quarantine;
  private final Runnable confirmDuplicates;
  private final Admission admission;
  private final Backoff backoff;
  private final boolean mayOvertake;
  private final MessageHandler<RedisWork> handler;

  // Taken when Redis went away: given back as soon as it answers, so that no outage counts as an
  // attempt. What was finished all the same is no longer theirs.
  private final Queue<Taking> cutShort = new ConcurrentLinkedQueue<>();

  RedisReception(RedisInbox inbox, RedisQuarantine quarantine, MessageHandler<RedisWork> handler) {
    this.quarantine = quarantine;
    this.handler = handler;
    records = inbox.records();
    leases = inbox.leases();
    confirmDuplicates = inbox::confirmDuplicates;
    admission = inbox.admission();
    backoff = inbox.backoff();
    mayOvertake = inbox.mayOvertake();
  }

  List<Receipt> receive(AdmissionTerms terms, List<Delivery> deliveries, HandlerWatch watch) {
    Interruption interruption = new Interruption(watch::goOn);
    interruption.takeFlag();
    try {
      giveBackCutShort();
      Receipt[] receipts = new Receipt[deliveries.size()];
      List<CheckedDelivery> ordinary = new ArrayList<>(receipts.length);
      int[] places = new int[receipts.length];
      Set<UUID> ids = new HashSet<>();
      for (int i = 0; i < receipts.length; i++) {
        CheckedDelivery checked = admission.judge(deliveries.get(i), terms);
        if (checked.refusal() != null) {
          receipts[i] = refuse(checked, checked.refusal());
        } else if (!ids.add(checked.id())) {
          receipts[i] = DUPLICATE;
        } else {
          places[ordinary.size()] = i;
          ordinary.add(checked);
        }
      }
      List<Receipt> handled = handle(ordinary, watch, interruption);
      for (int i = 0; i < handled.size(); i++) {
        receipts[places[i]] = handled.get(i);
      }
      return Arrays.asList(receipts);
    } finally {
      interruption.restore();
    }
  }

  private void giveBackCutShort() {
    List<Taking> takings = List.copyOf(cutShort);
    records.release(takings);
    cutShort.removeAll(takings);
  }

  /** Handles one that was let through by an operator, whatever its age. */
  Receipt again(CheckedDelivery checked, byte[] key, HandlerWatch watch) {
    records.reopen(key);
    Interruption interruption = new Interruption(watch::goOn);
    return new Batch(List.of(checked), records.take(List.of(checked), true), watch, interruption)
        .receive()
        .get(0);
  }

  private List<Receipt> handle(
      List<CheckedDelivery> deliveries, HandlerWatch watch, Interruption interruption) {
    if (deliveries.isEmpty()) {
      return List.of();
    }
    boolean alone = deliveries.size() == 1;
    List<Taking> takings = records.take(deliveries, alone);
    if (takings.stream().noneMatch(taking -> taking.state() == State.SUSPECT)) {
      return new Batch(deliveries, takings, watch, interruption).receive();
    }
    // One of them may kill the process: its neighbours must not be counted with it.
    records.release(takings.stream().filter(t -> t.state() == State.TAKEN).toList());
    List<Receipt> receipts = new ArrayList<>(deliveries.size());
    Set<String> heldKeys = new HashSet<>();
    for (CheckedDelivery checked : deliveries) {
      String key = mayOvertake ? null : checked.delivery().key();
      Receipt receipt = HELD;
      if (!interruption.endsBatch() && (key == null || !heldKeys.contains(key))) {
        List<CheckedDelivery> one = List.of(checked);
        receipt = new Batch(one, records.take(one, true), watch, interruption).receive().get(0);
      }
      if (key != null && !receipt.settled()) {
        heldKeys.add(key);
      }
      receipts.add(receipt);
    }
    return receipts;
  }

  /** Deliveries whose ids were taken, or not, from their handlers to their receipts. */
  private final class Batch {
    private final List<CheckedDelivery> deliveries;
    private final List<Taking> takings;
    private final HandlerWatch watch;
    private final Interruption interruption;
    private final Receipt[] receipts;
    private final Set<String> heldKeys = new HashSet<>();
    private final List<Taking> notBegun = new ArrayList<>();

    // By key, in order: the places of what was handled, with its commands.
    private final Map<Object, List<Integer>> groups = new LinkedHashMap<>();
    private final Map<Integer, List<List<byte[]>>> commands = new LinkedHashMap<>();

    Batch(
        List<CheckedDelivery> deliveries,
        List<Taking> takings,
        HandlerWatch watch,
        Interruption interruption) {
      this.deliveries = deliveries;
      this.takings = takings;
      this.watch = watch;
      this.interruption = interruption;
      receipts = new Receipt[deliveries.size()];
    }

    List<Receipt> receive() {
      List<Taking> taken = takings.stream().filter(t -> t.state() == State.TAKEN).toList();
      leases.keep(taken);
      try {
        for (int i = 0; i < receipts.length; i++) {
          begin(i);
        }
        records.release(notBegun);
        finish();
        if (takings.stream().anyMatch(taking -> taking.state() == State.DONE)) {
          confirmDuplicates.run();
        }
        return Arrays.asList(receipts);
      } catch (DatabaseUnavailableException e) {
        cutShort.addAll(taken);
        throw e;
      } finally {
        leases.letGo(taken);
      }
    }

    private void begin(int i) {
      CheckedDelivery checked = deliveries.get(i);
      Taking taking = takings.get(i);
      String key = mayOvertake ? null : checked.delivery().key();
      switch (taking.state()) {
        case DONE -> receipts[i] = DUPLICATE;
        case BROKEN ->
            receipts[i] =
                giveUp(checked, taking, QuarantineReason.TRANSACTION_ENDED, taking.error());
        case IN_WORK, SUSPECT -> {
          Duration left = Duration.ofMillis(taking.millisLeft());
          receipts[i] = new Receipt.Held(left.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : left);
        }
        case TAKEN -> {
          if (interruption.endsBatch() || (key != null && heldKeys.contains(key))) {
            notBegun.add(taking);
            receipts[i] = HELD;
          } else {
            call(i, checked, taking, key);
          }
        }
      }
      Receipt receipt = receipts[i];
      if (key != null && receipt != null && !receipt.settled()) {
        heldKeys.add(key);
      }
    }

    private void call(int i, CheckedDelivery checked, Taking taking, @Nullable String key) {
      if (taking.attempts() > backoff.attempts()) {
        receipts[i] =
            giveUp(
                checked,
                taking,
                QuarantineReason.ATTEMPTS_EXHAUSTED,
                "It was taken so often and never finished: its process may have died of it.");
        return;
      }
      RedisCommands handedOver = new RedisCommands();
      try {
        interruption.beforeHandler();
        watch.begins();
        handler.handle(checked.delivery(), new Work(Long.parseLong(taking.token()), handedOver));
        commands.put(i, handedOver.all());
        groups.computeIfAbsent(key == null ? i : key, ignored -> new ArrayList<>()).add(i);
      } catch (Throwable e) { // an Error too, such as the stack overflow of a nesting bomb
        if (interruption.hasEndedAlone(e) && interruption.stopped()) {
          notBegun.add(taking);
          receipts[i] = HELD;
        } else {
          receipts[i] = failed(checked, taking, e);
        }
      }
    }

    private void finish() {
      List<List<Finishing>> finishing = new ArrayList<>(groups.size());
      for (List<Integer> places : groups.values()) {
        finishing.add(
            places.stream()
                .map(i -> new Finishing(takings.get(i), commands.getOrDefault(i, List.of())))
                .toList());
      }
      List<List<Ended>> ends = records.finish(finishing);
      int group = 0;
      for (List<Integer> places : groups.values()) {
        List<Ended> ended = ends.get(group++);
        IntStream.range(0, places.size())
            .forEach(n -> receipts[places.get(n)] = receipt(places.get(n), ended.get(n)));
      }
    }

    private Receipt receipt(int i, Ended ended) {
      CheckedDelivery checked = deliveries.get(i);
      return switch (ended.end()) {
        case DONE -> PROCESSED;
        case HELD -> HELD;
        case LOST -> {
          log.warn("Another process has taken it, as its lease had ended: {}", checked.delivery());
          yield new Receipt.Held(SOON);
        }
        case FAILED ->
            failed(
                checked,
                takings.get(i),
                new IllegalStateException("Redis refused what was handed over: " + ended.error()));
        case BROKEN ->
            giveUp(
                checked,
                takings.get(i),
                QuarantineReason.TRANSACTION_ENDED,
                "What was handed over was executed up to " + ended.error());
      };
    }
  }

  private record Work(long fence, RedisCommands commands) implements RedisWork {}

  private Receipt failed(CheckedDelivery checked, Taking taking, Throwable error) {
    String text = ErrorText.of(error);
    QuarantineReason atOnce = QuarantineReason.givenUpAtOnce(error);
    int attempts = taking.attempts();
    if (atOnce != null) {
      return giveUp(checked, taking, atOnce, text);
    }
    if (attempts >= backoff.attempts()) {
      return giveUp(checked, taking, QuarantineReason.ATTEMPTS_EXHAUSTED, text);
    }
    if (!records.fail(taking)) {
      return new Receipt.Held(SOON);
    }
    log.warn("Attempt {} of {} failed: {}", attempts, checked.delivery(), text);
    return new Receipt.Failed(attempts, backoff.pause(attempts), error);
  }

  /** Keeps the message first: a process that dies in between has it kept once more. */
  private Receipt giveUp(
      CheckedDelivery checked, Taking taking, QuarantineReason reason, String error) {
    int attempts = Math.min(taking.attempts(), backoff.attempts());
    quarantine.keep(checked, reason, error, attempts);
    if (!records.quarantine(taking)) {
      quarantine.leave(checked);
      return new Receipt.Held(SOON);
    }
    log.error(
        "Quarantined after {} attempts ({}): {}", attempts, reason.code(), checked.delivery());
    return new Receipt.Quarantined(reason, attempts);
  }

  /** Its id is not recorded: another copy may be in order, or come again with a later expiry. */
  private Receipt refuse(CheckedDelivery checked, QuarantineReason reason) {
    if (reason == QuarantineReason.EXPIRED) {
      Taking taking = records.take(List.of(checked), true).get(0);
      if (taking.state() == State.TAKEN) {
        records.release(List.of(taking));
      } else {
        return taking.state() == State.DONE
            ? DUPLICATE
            : new Receipt.Held(Duration.ofMillis(taking.millisLeft()));
      }
    }
    String detail = checked.detail() == null ? "" : checked.detail();
    quarantine.keep(checked, reason, detail, 0);
    log.warn("Quarantined ({}): {}: {}", reason.code(), checked.delivery(), detail);
    return switch (reason) {
      case EXPIRED -> new Receipt.Expired();
      case OLDER_THAN_DEDUP_HORIZON -> new Receipt.Refused(reason);
      default -> new Receipt.Quarantined(reason, 0);
    };
  }
}
