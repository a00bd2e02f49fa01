package dev.twinbox.benchmarks.worker;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.benchmarks.profile.Recorder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The worker's end of the conversation: a line in, a line out, and the end when the pipe closes.
 */
public final class WorkerLoop {
  private WorkerLoop() {}

  /**
   * Runs until standard input ends, and ends the process then.
   *
   * @param arguments of the process: the side, then the place
   * @param maker makes the worker of a side
   */
  public static void run(String[] arguments, BiFunction<String, Place, Worker> maker)
      throws IOException {
    PrintStream answers = System.out;
    System.setOut(System.err); // libraries that greet would be taken for an answer
    List<String> words = Arrays.asList(arguments);
    Place place = Place.parse(words.subList(1, words.size()));
    try (Recorder recorder = Recorder.of(words.get(0), place.get("profile", ""));
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        Worker worker = maker.apply(words.get(0), place)) {
      answers.println("ok ready");
      answers.flush();
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        String[] said = order.split(" ");
        answers.println(answer(worker, said));
        answers.flush();
        recorder.done(said[0]);
      }
    } catch (Exception e) {
      e.printStackTrace();
      answers.println("failed " + oneLine(e));
      answers.flush();
    }
    Runtime.getRuntime().halt(0);
  }

  private static String answer(Worker worker, String... words) {
    try {
      return "ok " + worker.obey(words[0], Arrays.copyOfRange(words, 1, words.length));
    } catch (Exception | LinkageError e) {
      e.printStackTrace();
      return "failed " + oneLine(e);
    }
  }

  private static String oneLine(Throwable e) {
    return e.toString().replaceAll("\\s+", " ");
  }
}
