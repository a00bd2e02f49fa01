package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to a batch: together first, one by one when a handler fails, and who gives up when.
 */
final class Reception {
  private static final Logger log = LoggerFactory.getLogger(Reception.class);
  private static final Receipt DUPLICATE = new Receipt.Duplicate();
  private static final Receipt HELD = new Receipt.Held();
  private static final int MOST_CUT_SHORT = 10_000;

  private final Transactions transactions;
  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final HandlerRun handlerRun;
  private final Admission admission;
  private final Backoff backoff;
  private final boolean mayOvertake;
  private final Duration longestPipeline;
  private final Repairs repairs;

  // Attempts that the database, not the message, brought to an end: not counted once more.
  private final Set<UUID> cutShort = ConcurrentHashMap.newKeySet();

  Reception(
      Transactions transactions,
      InboxStore store,
      QuarantineStore quarantine,
      HandlerRun handlerRun,
      Admission admission,
      Backoff backoff,
      boolean mayOvertake,
      Duration longestPipeline) {
    this.transactions = transactions;
    this.store = store;
    this.quarantine = quarantine;
    this.handlerRun = handlerRun;
    this.admission = admission;
    this.backoff = backoff;
    this.mayOvertake = mayOvertake;
    this.longestPipeline = longestPipeline;
    repairs = new Repairs(transactions, store, quarantine);
  }

  Repairs repairs() {
    return repairs;
  }

  List<Receipt> receive(
      Registration registration, List<Delivery> deliveries, Handler handler, BooleanSupplier goOn) {
    Interruption interruption = new Interruption(goOn);
    interruption.takeFlag();
    try {
      repairs.settleWaiting();
      return receive(registration, deliveries, handler, interruption);
    } finally {
      interruption.restore();
    }
  }

  /** Each in a transaction of its own; see {@link Inbox#receiveEach}. */
  void receiveEach(
      Registration registration, DeliverySource deliveries, Handler handler, BooleanSupplier goOn) {
    repairs.settleWaiting();
    int consumer = registration.consumerId();
    Lookahead lookahead = new Lookahead(deliveries, admission, registration);
    try (PipelinedTransactions pipeline =
        new PipelinedTransactions(store, quarantine, consumer, lookahead, longestPipeline)) {
      boolean settled = true;
      while (settled && !pipeline.hasEnded() && !new Interruption(goOn).stopped()) {
        CheckedDelivery checked = pipeline.begun() == null ? lookahead.take() : pipeline.begun();
        if (checked == null) {
          return;
        }
        Receipt receipt = receiveNext(consumer, checked, handler, pipeline, goOn);
        settled = receipt.settled();
        deliveries.received(receipt);
      }
    }
  }

  private Receipt receiveNext(
      int consumer,
      CheckedDelivery checked,
      Handler handler,
      PipelinedTransactions pipeline,
      BooleanSupplier goOn) {
    Interruption interruption = new Interruption(goOn);
    interruption.takeFlag();
    try {
      return checked.refusal() == null
          ? alone(consumer, checked, handler, false, pipeline::frame, interruption)
          : refuse(consumer, checked, checked.refusal(), handler, interruption);
    } finally {
      interruption.restore();
    }
  }

  private List<Receipt> receive(
      Registration registration,
      List<Delivery> deliveries,
      Handler handler,
      Interruption interruption) {
    Receipt[] receipts = new Receipt[deliveries.size()];
    List<CheckedDelivery> ordinary = new ArrayList<>(deliveries.size());
    int[] places = new int[deliveries.size()];
    Set<UUID> ids = new HashSet<>();
    for (int i = 0; i < receipts.length; i++) {
      CheckedDelivery checked = admission.judge(deliveries.get(i), registration);
      if (checked.refusal() != null) {
        receipts[i] =
            refuse(registration.consumerId(), checked, checked.refusal(), handler, interruption);
      } else if (!ids.add(checked.id())) {
        receipts[i] = DUPLICATE;
      } else {
        places[ordinary.size()] = i;
        ordinary.add(checked);
      }
    }
    List<Receipt> handled = handle(registration.consumerId(), ordinary, handler, interruption);
    for (int i = 0; i < handled.size(); i++) {
      receipts[places[i]] = handled.get(i);
    }
    return Arrays.asList(receipts);
  }

  private List<Receipt> handle(
      int consumer, List<CheckedDelivery> deliveries, Handler handler, Interruption interruption) {
    if (deliveries.isEmpty()) {
      return List.of();
    }
    if (deliveries.size() == 1) {
      return oneByOne(consumer, deliveries, handler, Set.of(), interruption);
    }
    List<UUID> suspects =
        deliveries.stream()
            .filter(a -> a.delivery().redelivered())
            .map(CheckedDelivery::id)
            .toList();
    if (!suspects.isEmpty() && !startTogether(consumer, suspects)) {
      // One of them may kill the process: its neighbours must not be counted with it.
      return oneByOne(consumer, deliveries, handler, Set.of(), interruption);
    }
    try {
      HandlerRun.Frame frame =
          new Recording(
              store,
              quarantine,
              consumer,
              deliveries.stream().map(CheckedDelivery::id).toList(),
              !suspects.isEmpty());
      return run(consumer, frame, deliveries, handler, interruption);
    } catch (HandlerFailure e) {
      log.debug(
          "A batch of {} runs again one by one", deliveries.size(), Throwables.loggable(e.error()));
      interruption.hasEndedTogether(e.error());
      Set<UUID> counted = Set.copyOf(suspects);
      EndedTransaction ended = e.ended();
      if (ended != null && repairs.settle(consumer, ended)) {
        List<Receipt> receipts = new ArrayList<>(ended.receipts());
        List<CheckedDelivery> rest = deliveries.subList(receipts.size(), deliveries.size());
        receipts.addAll(oneByOne(consumer, rest, handler, counted, interruption));
        return receipts;
      }
      return oneByOne(consumer, deliveries, handler, counted, interruption);
    }
  }

  private List<Receipt> run(
      int consumer,
      HandlerRun.Frame frame,
      List<CheckedDelivery> deliveries,
      Handler handler,
      Interruption interruption)
      throws HandlerFailure {
    try {
      return handlerRun.run(frame, deliveries, handler, interruption);
    } catch (ConnectionLostException e) {
      repairs.remember(consumer, e.ended());
      throw e;
    }
  }

  /** Counts an attempt of each; refuses when one of them has failed before. */
  private boolean startTogether(int consumer, List<UUID> suspects) {
    return transactions.run(
        "Attempts were not recorded",
        connection -> {
          if (quarantine.anyFailure(connection, consumer, suspects)) {
            return false;
          }
          quarantine.startMany(connection, consumer, suspects);
          return true;
        });
  }

  private List<Receipt> oneByOne(
      int consumer,
      List<CheckedDelivery> deliveries,
      Handler handler,
      Set<UUID> counted,
      Interruption interruption) {
    List<Receipt> receipts = new ArrayList<>(deliveries.size());
    Set<String> heldKeys = new HashSet<>();
    for (CheckedDelivery checked : deliveries) {
      String key = checked.delivery().key();
      if (interruption.endsBatch() || (key != null && heldKeys.contains(key))) {
        receipts.add(HELD);
        continue;
      }
      Receipt receipt =
          alone(
              consumer,
              checked,
              handler,
              counted.contains(checked.id()),
              frames(consumer),
              interruption);
      if (key != null && !mayOvertake && !receipt.settled()) {
        heldKeys.add(key);
      }
      receipts.add(receipt);
    }
    return receipts;
  }

  /** What stands around the handler of a message that is alone in its transaction. */
  @FunctionalInterface
  private interface Frames {
    HandlerRun.Frame around(CheckedDelivery checked, boolean counted);
  }

  private Frames frames(int consumer) {
    return (checked, counted) ->
        new Recording(store, quarantine, consumer, List.of(checked.id()), counted);
  }

  private Receipt alone(
      int consumer,
      CheckedDelivery checked,
      Handler handler,
      boolean countedBefore,
      Frames frames,
      Interruption interruption) {
    UUID id = checked.id();
    boolean counted = countedBefore;
    if (!counted && checked.delivery().redelivered()) {
      if (cutShort.remove(id)) {
        counted = true;
      } else {
        Optional<QuarantineStore.Attempt> attempt =
            transactions.runText(
                "The attempt was not recorded",
                connection -> quarantine.start(connection, consumer, id, backoff.attempts()));
        if (attempt.isPresent() && attempt.get().number() > backoff.attempts()) {
          return giveUp(
              consumer,
              checked,
              QuarantineReason.ATTEMPTS_EXHAUSTED,
              String.valueOf(attempt.get().error()),
              attempt.get().number() - 1);
        }
        counted = attempt.isPresent();
      }
    }
    try {
      HandlerRun.Frame frame = frames.around(checked, counted);
      return run(consumer, frame, List.of(checked), handler, interruption).get(0);
    } catch (DatabaseUnavailableException e) {
      if (counted) {
        rememberCutShort(id);
      }
      throw e;
    } catch (HandlerFailure e) {
      boolean interrupted = interruption.hasEndedAlone(e.error());
      EndedTransaction ended = e.ended();
      if (ended != null && repairs.settle(consumer, ended)) {
        return ended.receipts().get(0);
      }
      if (interrupted && interruption.stopped()) {
        takeBack(consumer, id, counted);
        return HELD;
      }
      if (e.error() instanceof LaterException later) {
        takeBack(consumer, id, counted);
        log.debug("{} is left for later", checked.delivery(), later);
        return new Receipt.Held(later.pause(backoff));
      }
      return failed(consumer, checked, e.error(), counted);
    }
  }

  private void rememberCutShort(UUID id) {
    if (cutShort.size() >= MOST_CUT_SHORT) {
      cutShort.clear(); // each of them is counted once more than it should be, at worst
    }
    cutShort.add(id);
  }

  /** Nothing was wrong with the message: its consumer could wait no longer, or it is for later. */
  private void takeBack(int consumer, UUID id, boolean counted) {
    if (counted) {
      transactions.run(
          "The attempt was not taken back",
          connection -> quarantine.takeBack(connection, consumer, id));
    }
  }

  private Receipt failed(int consumer, CheckedDelivery checked, Throwable error, boolean counted) {
    int attempts =
        transactions.run(
            "The failure was not recorded",
            connection ->
                quarantine.fail(connection, consumer, checked.id(), ErrorText.of(error), counted));
    QuarantineReason atOnce = QuarantineReason.givenUpAtOnce(error);
    if (atOnce != null) {
      return giveUp(consumer, checked, atOnce, ErrorText.of(error), attempts);
    }
    if (attempts >= backoff.attempts()) {
      return giveUp(
          consumer, checked, QuarantineReason.ATTEMPTS_EXHAUSTED, ErrorText.of(error), attempts);
    }
    Throwable readable = Throwables.loggable(error);
    log.warn("Attempt {} of {} failed", attempts, checked.delivery(), readable);
    return new Receipt.Failed(attempts, backoff.pause(attempts), readable);
  }

  /** A handler failed in a transaction that somebody else has rolled back. */
  Receipt failedElsewhere(Registration registration, Delivery delivery, Throwable error) {
    CheckedDelivery checked = admission.judge(delivery, registration);
    boolean databases =
        error instanceof DatabaseUnavailableException
            || SqlTrouble.runAgain(error)
            || SqlTrouble.disconnected(error);
    if (checked.refusal() != null || databases) {
      return HELD; // its next delivery says what becomes of it
    }
    Throwable thrown = error instanceof HandlerException ? Throwables.cause(error) : error;
    return failed(registration.consumerId(), checked, thrown == null ? error : thrown, false);
  }

  /** Keeps the message and records its id: from now on it is a duplicate. */
  private Receipt giveUp(
      int consumer, CheckedDelivery checked, QuarantineReason reason, String error, int attempts) {
    boolean kept =
        transactions.run(
            "The message was not quarantined",
            connection -> {
              boolean fresh = store.record(connection, consumer, checked.id());
              if (fresh
                  || !store.takePasses(connection, consumer, Set.of(checked.id())).isEmpty()) {
                quarantine.keep(connection, consumer, checked, reason, error, attempts, true);
                fresh = true;
              }
              store.commitDurably(connection);
              quarantine.clear(connection, consumer, Set.of(checked.id()));
              return fresh;
            });
    if (!kept) {
      return DUPLICATE;
    }
    log.error(
        "Quarantined after {} attempts ({}): {}", attempts, reason.code(), checked.delivery());
    return new Receipt.Quarantined(reason, attempts);
  }

  private Receipt refuse(
      int consumer,
      CheckedDelivery checked,
      QuarantineReason reason,
      Handler handler,
      Interruption interruption) {
    if (reason == QuarantineReason.OLDER_THAN_DEDUP_HORIZON) {
      return refuseOld(consumer, checked, handler, interruption);
    }
    return transactions.run(
        "The message was not quarantined",
        connection -> keepUnhandled(connection, consumer, checked, reason));
  }

  /**
   * Refused, unless an operator lets it through. It is then recorded among the old ids, whose table
   * is never dropped, so the permission is good for one time however often it is delivered.
   */
  private Receipt refuseOld(
      int consumer, CheckedDelivery checked, Handler handler, Interruption interruption) {
    boolean letThrough =
        transactions.run(
            "Permissions were not read",
            connection -> store.hasPass(connection, consumer, checked.id()));
    if (letThrough) {
      CheckedDelivery old = new CheckedDelivery(checked.delivery(), InboxIds.old(checked.id()));
      Receipt receipt = alone(consumer, old, handler, false, frames(consumer), interruption);
      if (receipt instanceof Receipt.Processed || receipt instanceof Receipt.Duplicate) {
        transactions.run(
            "The message was not taken out of quarantine",
            connection -> {
              quarantine.leave(connection, consumer, checked.id());
              return true;
            });
      }
      return receipt;
    }
    return transactions.run(
        "The message was not quarantined",
        connection ->
            keepUnhandled(
                connection, consumer, checked, QuarantineReason.OLDER_THAN_DEDUP_HORIZON));
  }

  /**
   * Keeps a message that its handler never gets. Its id is not recorded: another copy of it may be
   * in order, or come again with a later expiry.
   */
  Receipt keepUnhandled(
      Connection connection, int consumer, CheckedDelivery checked, QuarantineReason reason)
      throws SQLException {
    if (reason == QuarantineReason.EXPIRED) {
      // Records and takes back, which waits for whoever handles it now. By a savepoint: a
      // consumer's
      // role may not delete ids.
      Savepoint before = connection.setSavepoint();
      boolean fresh = store.record(connection, consumer, checked.id());
      connection.rollback(before);
      if (!fresh) {
        store.commitDurably(connection);
        return DUPLICATE;
      }
    }
    quarantine.keep(connection, consumer, checked, reason, checked.detail(), 0, false);
    log.warn("Quarantined ({}): {}: {}", reason.code(), checked.delivery(), checked.detail());
    return switch (reason) {
      case EXPIRED -> new Receipt.Expired();
      case OLDER_THAN_DEDUP_HORIZON -> new Receipt.Refused(reason);
      default -> new Receipt.Quarantined(reason, 0);
    };
  }
}
