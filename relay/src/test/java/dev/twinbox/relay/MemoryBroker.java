package dev.twinbox.relay;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * A broker within this process, for what has to be decided message by message. It keeps what it
 * confirms, in order, and confirms on a thread of its own. What is unconfirmed when a publisher is
 * closed was taken or not, by turns.
 */
public final class MemoryBroker implements Broker {
  private final String name;
  private final List<OutboxRecord> kept = new ArrayList<>();
  private final ExecutorService confirms;
  private final Set<InOrder> open = ConcurrentHashMap.newKeySet();
  private volatile boolean silent;
  private volatile Function<OutboxRecord, Optional<Outcome>> trouble = message -> Optional.empty();

  public MemoryBroker() {
    this("kafka");
  }

  public MemoryBroker(String name) {
    this(name, Executors.newSingleThreadExecutor(MemoryBroker::thread));
  }

  private MemoryBroker(String name, ExecutorService confirms) {
    this.name = name;
    this.confirms = confirms;
  }

  /** One whose publishers do not wait for each other. */
  public static MemoryBroker parallel() {
    return new MemoryBroker("kafka", Executors.newCachedThreadPool(MemoryBroker::thread));
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "memory-broker");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * While silent it neither takes nor confirms anything; a closed publisher has sent nothing.
   * Afterwards it goes on with what it was handed meanwhile.
   */
  public void silent(boolean isSilent) {
    silent = isSilent;
    if (!isSilent) {
      open.forEach(InOrder::flush);
    }
  }

  /** Decides for each message whether it gets another outcome than Published; may throw. */
  public void troubledBy(Function<OutboxRecord, Optional<Outcome>> decide) {
    trouble = decide;
  }

  /** What it holds, in order, repeats included. */
  public List<OutboxRecord> kept() {
    synchronized (kept) {
      return List.copyOf(kept);
    }
  }

  public int count() {
    synchronized (kept) {
      return kept.size();
    }
  }

  /** For messages that the broker takes without anybody hearing of it. */
  public void keepUnconfirmed(OutboxRecord message) {
    synchronized (kept) {
      kept.add(message);
    }
  }

  /** This broker, for a relay that closes what it is given. */
  public Broker borrowed() {
    MemoryBroker lender = this;
    return new Broker() {
      @Override
      public String name() {
        return lender.name();
      }

      @Override
      public Publisher open(int lane) {
        return lender.open(lane);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Publisher open(int lane) {
    InOrder publisher = new InOrder();
    open.add(publisher);
    return publisher;
  }

  @Override
  public void close() {
    confirms.shutdownNow();
  }

  private record Waiting(OutboxRecord record, OutcomeListener listener) {}

  private final class InOrder implements Publisher {
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private boolean stopped;

    @Override
    public void publish(OutboxRecord record, OutcomeListener listener) {
      synchronized (this) {
        waiting.addLast(new Waiting(record, listener));
      }
    }

    @Override
    public void flush() {
      confirms.execute(this::confirmAll);
    }

    private void confirmAll() {
      while (confirmOne()) {
        Thread.onSpinWait();
      }
    }

    private synchronized boolean confirmOne() {
      if (silent || stopped || waiting.isEmpty()) {
        return false;
      }
      Waiting next = waiting.removeFirst();
      Outcome outcome = decide(next.record);
      if (outcome instanceof Outcome.Published) {
        keep(next.record);
      } else if (!(outcome instanceof Outcome.Rejected)) {
        stopped = true;
      }
      next.listener.settled(next.record, outcome);
      return true;
    }

    /** A broker that fails in the middle tells nobody. */
    private Outcome decide(OutboxRecord record) {
      try {
        return trouble.apply(record).orElse(Outcome.PUBLISHED);
      } catch (IllegalStateException e) {
        return new Outcome.Unknown(String.valueOf(e.getMessage()));
      }
    }

    private void keep(OutboxRecord record) {
      synchronized (kept) {
        kept.add(record);
      }
    }

    @Override
    public synchronized void close() {
      open.remove(this);
      boolean taken = !stopped && !silent;
      stopped = true;
      for (Waiting each : waiting) {
        // The broker has taken a prefix of what was under way; nobody was told.
        taken = taken && each.record.position() % 7 != 0;
        if (taken) {
          keep(each.record);
        }
        each.listener.settled(each.record, new Outcome.Unknown("closed"));
      }
      waiting.clear();
    }
  }
}
