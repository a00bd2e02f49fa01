package dev.twinbox.outbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Objects;

/**
 * JSON by Jackson 2, an optional dependency: add {@code
 * com.fasterxml.jackson.core:jackson-databind} to use it. Thread-safe.
 */
public final class JacksonCodec implements PayloadCodec {
  private final ObjectMapper mapper;

  private JacksonCodec(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * Jackson's defaults with every Jackson module on the class path, times as text in ISO 8601. This
   * is what an {@link Outbox} uses unless it is given another codec.
   */
  public static JacksonCodec create() {
    return new JacksonCodec(
        JsonMapper.builder()
            .findAndAddModules()
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .build());
  }

  /** The application's own mapper; it must not be reconfigured afterwards. */
  public static JacksonCodec of(ObjectMapper mapper) {
    return new JacksonCodec(Objects.requireNonNull(mapper, "mapper"));
  }

  @Override
  public byte[] encode(Object value) {
    try {
      return mapper.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e.getOriginalMessage(), e);
    }
  }
}
