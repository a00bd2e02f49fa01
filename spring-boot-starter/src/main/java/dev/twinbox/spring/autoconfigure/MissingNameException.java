package dev.twinbox.spring.autoconfigure;

import java.io.Serial;

/** Neither the property nor {@code spring.application.name} says what is needed. */
final class MissingNameException extends IllegalStateException {
  @Serial private static final long serialVersionUID = 1;

  private final String remedy;

  MissingNameException(String property, String example) {
    super("Neither %s nor spring.application.name is set.".formatted(property));
    remedy = "Set spring.application.name, or %s, for example to %s.".formatted(property, example);
  }

  String remedy() {
    return remedy;
  }
}
