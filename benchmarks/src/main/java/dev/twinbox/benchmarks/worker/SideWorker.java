package dev.twinbox.benchmarks.worker;

import java.nio.file.Path;

/** A {@link Side} in a process. */
public final class SideWorker implements Worker {
  private final Side side;
  private final Confirms confirms;
  private final int keys;
  private final byte[] filling;

  /**
   * @param side what is measured
   * @param confirms hears what it gets confirmed
   * @param place says {@code keys} and {@code bytes} of what {@code load} enqueues
   */
  public SideWorker(Side side, Confirms confirms, Place place) {
    this.side = side;
    this.confirms = confirms;
    keys = place.number("keys");
    filling = SampleTexts.payload(1, place.number("bytes"));
  }

  @Override
  public String obey(String verb, String... arguments) throws Exception {
    switch (verb) {
      case "fill" -> side.fill(Integer.parseInt(arguments[0]));
      case "pour" -> side.pour(Integer.parseInt(arguments[0]));
      case "start" -> side.start();
      case "stop" -> side.stop();
      case "warm" -> {} // for whom nothing else ends the warm-up; a recording begins
      case "count" -> {
        return Long.toString(confirms.count());
      }
      case "heard" -> {
        return Long.toString(
            confirms.heard(Long.parseLong(arguments[0]), Long.parseLong(arguments[1])));
      }
      case "load" ->
          OpenLoop.run(
              Integer.parseInt(arguments[0]),
              Long.parseLong(arguments[1]),
              Long.parseLong(arguments[2]),
              number ->
                  side.transact(SampleTexts.key(number % keys), Confirms.numbered(number, filling)),
              Path.of(arguments[3]));
      case "confirms" -> confirms.drainTo(Path.of(arguments[0]));
      default -> throw new IllegalArgumentException("Unknown order " + verb);
    }
    return "done";
  }

  @Override
  public void close() throws Exception {
    side.close();
  }
}
