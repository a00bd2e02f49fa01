package dev.twinbox.examples.soak;

import dev.twinbox.outbox.Outbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A producer process: threads that write until the process is killed. */
final class SoakProducer {
  private static final int THREADS = 3;

  private SoakProducer() {}

  public static void main(String[] arguments) throws InterruptedException {
    Assignment assignment = Assignment.fromEnvironment();
    Outbox outbox = Outbox.builder().source("/soak/" + assignment.name()).build();
    Pace pace = new Pace(assignment);
    // Not the same again after each start.
    Random random = new Random(assignment.number("SEED") + System.nanoTime());
    List<Thread> threads = new ArrayList<>(List.of(new Thread(pace, "pace")));
    for (int i = 0; i < THREADS; i++) {
      threads.add(
          new Thread(new Writer(assignment, outbox, pace, random.nextLong()), "writer-" + i));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
