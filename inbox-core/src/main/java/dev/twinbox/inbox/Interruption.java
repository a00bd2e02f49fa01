package dev.twinbox.inbox;

import java.util.function.BooleanSupplier;

/**
 * What interrupts mean while a batch is received: they belong to the one handler that runs, not to
 * the statements that record its failure, and not to its neighbours. For one thread.
 */
public final class Interruption {
  private final BooleanSupplier goOn;
  private boolean seen;
  private boolean endsBatch;

  /**
   * @param goOn whether handlers may begin
   */
  public Interruption(BooleanSupplier goOn) {
    this.goOn = goOn;
  }

  /** Clears the thread's flag until {@link #restore}; JDBC pools fail where it is set. */
  public void takeFlag() {
    seen |= Thread.interrupted();
  }

  /** Whether the caller wants no handler to begin any more, or cannot say. */
  public boolean stopped() {
    try {
      return !goOn.getAsBoolean();
    } catch (RuntimeException e) {
      return true;
    }
  }

  /** For right before each handler. */
  public void beforeHandler() throws InterruptedException {
    takeFlag();
    if (stopped()) {
      throw new InterruptedException("No handler begins any more: the consumer is closing");
    }
  }

  /** Takes note of why a batch failed; its members are tried alone then. */
  void hasEndedTogether(Throwable error) {
    seen |= isInterrupt(error);
  }

  /** Takes note of why a lone handler failed; tells whether it was an interrupt. */
  public boolean hasEndedAlone(Throwable error) {
    boolean interrupted = isInterrupt(error);
    seen |= interrupted;
    endsBatch |= interrupted;
    return interrupted;
  }

  private static boolean isInterrupt(Throwable error) {
    return Thread.interrupted() || error instanceof InterruptedException;
  }

  /** Whether a lone handler was interrupted: its thread is wanted back. */
  public boolean endsBatch() {
    return endsBatch || stopped();
  }

  /** Gives the thread its flag back. */
  public void restore() {
    if (seen) {
      Thread.currentThread().interrupt();
    }
  }
}
