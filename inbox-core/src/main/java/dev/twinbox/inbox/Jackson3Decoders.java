package dev.twinbox.inbox;

import java.util.Objects;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON by Jackson 3, an optional dependency: {@code tools.jackson.core:jackson-databind}.
 * Thread-safe.
 */
public final class Jackson3Decoders implements PayloadDecoders {
  private final ObjectMapper mapper;

  private Jackson3Decoders(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * With every Jackson module on the class path; unknown properties are ignored, and what follows
   * the value is refused.
   */
  public static Jackson3Decoders create() {
    return new Jackson3Decoders(
        JsonMapper.builder()
            .findAndAddModules()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build());
  }

  /** The application's own mapper, as it is: what it makes of unknown properties is its choice. */
  public static Jackson3Decoders of(ObjectMapper mapper) {
    return new Jackson3Decoders(Objects.requireNonNull(mapper, "mapper"));
  }

  @Override
  public <T> PayloadDecoder<T> of(Class<T> type) {
    ObjectReader reader = mapper.readerFor(type);
    return delivery -> PayloadBytes.present(reader.<T>readValue(PayloadBytes.of(delivery)));
  }
}
