package dev.twinbox.relay;

import java.util.List;

/**
 * Whether a relay can work, for a health endpoint. A relay with problems goes on trying by itself;
 * messages wait meanwhile and none is lost.
 *
 * @param up whether there is no problem
 * @param problems what keeps it from working, each a sentence without secrets or payloads
 */
public record Health(boolean up, List<String> problems) {
  public Health {
    problems = List.copyOf(problems);
  }

  static Health of(List<String> problems) {
    return new Health(problems.isEmpty(), problems);
  }
}
