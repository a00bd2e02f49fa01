package dev.twinbox.inbox;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Objects;

/**
 * JSON by Jackson 2, an optional dependency: {@code com.fasterxml.jackson.core:jackson-databind}.
 * The class is the handler's choice and never the message's. Nesting, lengths and numbers are
 * limited by Jackson's stream constraints. Thread-safe.
 */
public final class JacksonDecoders implements PayloadDecoders {
  private final ObjectMapper mapper;

  private JacksonDecoders(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * With every Jackson module on the class path: unknown properties are ignored, what follows the
   * value is refused, and type hints in a payload load nothing. What {@link TypedHandlers} use
   * unless they are given others.
   */
  public static JacksonDecoders create() {
    return new JacksonDecoders(
        JsonMapper.builder()
            .findAndAddModules()
            .deactivateDefaultTyping()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build());
  }

  /**
   * The application's own mapper, as it is: what it makes of unknown properties, of type hints and
   * of what follows the value is its choice. It must not be reconfigured afterwards.
   */
  public static JacksonDecoders of(ObjectMapper mapper) {
    return new JacksonDecoders(Objects.requireNonNull(mapper, "mapper"));
  }

  @Override
  public <T> PayloadDecoder<T> of(Class<T> type) {
    ObjectReader reader = mapper.readerFor(type);
    return delivery -> PayloadBytes.present(reader.<T>readValue(PayloadBytes.of(delivery)));
  }
}
