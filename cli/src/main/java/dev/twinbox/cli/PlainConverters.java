package dev.twinbox.cli;

import java.util.UUID;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers and ids, with complaints that say how they are written. */
final class PlainConverters {
  private PlainConverters() {}

  /** Hands them to the command and to the subcommands that it has by now. */
  static void register(CommandLine command) {
    ITypeConverter<Integer> ints = converter("whole number", "100", Integer::valueOf);
    ITypeConverter<Long> longs = converter("whole number", "100", Long::valueOf);
    ITypeConverter<Double> doubles = converter("number", "0.5", Double::valueOf);
    command
        .registerConverter(Integer.class, ints)
        .registerConverter(int.class, ints)
        .registerConverter(Long.class, longs)
        .registerConverter(long.class, longs)
        .registerConverter(Double.class, doubles)
        .registerConverter(double.class, doubles)
        .registerConverter(
            UUID.class, converter("id", "0197b7a0-5c1e-7d6a-9f3b-2f0c8a1d4e5f", UUID::fromString));
  }

  private static <T> ITypeConverter<T> converter(
      String what, String example, Function<String, T> parse) {
    return value -> {
      try {
        return parse.apply(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(
            "'%s' is no %s; write it as in %s.".formatted(value, what, example));
      }
    };
  }
}
