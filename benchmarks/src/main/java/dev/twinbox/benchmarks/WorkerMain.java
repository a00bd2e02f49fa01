package dev.twinbox.benchmarks;

import dev.twinbox.benchmarks.peers.DbSchedulerSide;
import dev.twinbox.benchmarks.peers.DebeziumSide;
import dev.twinbox.benchmarks.peers.GruelboxSide;
import dev.twinbox.benchmarks.peers.ModulithSide;
import dev.twinbox.benchmarks.peers.NamastackSide;
import dev.twinbox.benchmarks.sides.BareProducerSide;
import dev.twinbox.benchmarks.sides.ConsumingWorker;
import dev.twinbox.benchmarks.sides.RawConfirmsSide;
import dev.twinbox.benchmarks.sides.RawLoopSide;
import dev.twinbox.benchmarks.sides.RelaySide;
import dev.twinbox.benchmarks.sides.SkipLockedSide;
import dev.twinbox.benchmarks.sides.WritingWorker;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.benchmarks.worker.SideWorker;
import dev.twinbox.benchmarks.worker.Worker;
import dev.twinbox.benchmarks.worker.WorkerLoop;
import java.io.IOException;

/** The main class of every process that is measured; its first argument names the side. */
final class WorkerMain {
  private WorkerMain() {}

  public static void main(String[] arguments) throws IOException {
    WorkerLoop.run(arguments, WorkerMain::worker);
  }

  private static Worker worker(String name, Place place) {
    Confirms confirms = new Confirms();
    try {
      return switch (name) {
        case "producer" -> new WritingWorker(place);
        case "consumer" -> new ConsumingWorker(place);
        default -> new SideWorker(side(name, place, confirms), confirms, place);
      };
    } catch (Exception e) {
      throw new IllegalStateException("%s cannot be set up: %s".formatted(name, e), e);
    }
  }

  private static Side side(String name, Place place, Confirms confirms) throws Exception {
    return switch (name) {
      case "relay" -> new RelaySide(place, confirms);
      case "bare-producer" -> new BareProducerSide(place, confirms);
      case "raw-confirms" -> new RawConfirmsSide(place, confirms);
      case "raw-loop" -> new RawLoopSide(place, confirms);
      case "skip-locked-delete" -> new SkipLockedSide(place, confirms);
      case "skip-locked-update" -> new SkipLockedSide(place.with("deletes", "false"), confirms);
      case "db-scheduler" -> new DbSchedulerSide(place, confirms);
      case "gruelbox" -> new GruelboxSide(place, confirms);
      case "namastack" -> new NamastackSide(place, confirms);
      case "modulith" -> new ModulithSide(place, confirms);
      case "debezium" -> new DebeziumSide(place, confirms);
      default -> throw new IllegalArgumentException("There is no side " + name);
    };
  }
}
