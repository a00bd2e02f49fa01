package dev.twinbox.examples.demo;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/** Threads that place orders until there are enough. */
final class Writers {
  private final ExecutorService threads;
  private final CompletableFuture<Void> all;

  private Writers(ExecutorService threads, CompletableFuture<Void> all) {
    this.threads = threads;
    this.all = all;
  }

  static Writers start(Shop shop, int orders, int writers) {
    ExecutorService threads =
        Executors.newFixedThreadPool(
            writers,
            work -> {
              Thread thread = new Thread(work, "shop");
              thread.setDaemon(true);
              return thread;
            });
    List<CompletableFuture<Void>> each =
        IntStream.range(0, writers)
            .mapToObj(
                n ->
                    CompletableFuture.runAsync(
                        () -> {
                          while (shop.placeOrder(orders)) {}
                        },
                        threads))
            .toList();
    return new Writers(threads, CompletableFuture.allOf(each.toArray(CompletableFuture[]::new)));
  }

  /** Whether they have placed all; throws what one of them failed with. */
  boolean areDone() {
    if (all.isCompletedExceptionally()) {
      all.join();
    }
    return all.isDone();
  }

  void stop() {
    threads.shutdownNow();
  }
}
