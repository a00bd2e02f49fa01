package dev.twinbox.rabbitmq.doctor;

import java.util.List;

/** A topic exchange's binding key: {@code *} is one word, {@code #} none or more. */
final class TopicPattern {
  private TopicPattern() {}

  static boolean matches(String pattern, String key) {
    return matches(words(pattern), words(key));
  }

  private static boolean matches(List<String> pattern, List<String> key) {
    if (pattern.isEmpty()) {
      return key.isEmpty();
    }
    List<String> rest = pattern.subList(1, pattern.size());
    if (pattern.get(0).equals("#")) {
      for (int skipped = 0; skipped <= key.size(); skipped++) {
        if (matches(rest, key.subList(skipped, key.size()))) {
          return true;
        }
      }
      return false;
    }
    return !key.isEmpty()
        && (pattern.get(0).equals("*") || pattern.get(0).equals(key.get(0)))
        && matches(rest, key.subList(1, key.size()));
  }

  private static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split("\\.", -1));
  }
}
