package dev.twinbox.outbox;

import java.util.Objects;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON by Jackson 3, an optional dependency: add {@code tools.jackson.core:jackson-databind} to use
 * it. Thread-safe.
 */
public final class Jackson3Codec implements PayloadCodec {
  private final ObjectMapper mapper;

  private Jackson3Codec(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * Jackson's defaults with every Jackson module on the class path; times are text in ISO 8601.
   * What an {@link Outbox} uses where Jackson 3 is there, Jackson 2 is not, and no other codec was
   * given.
   */
  public static Jackson3Codec create() {
    return new Jackson3Codec(JsonMapper.builder().findAndAddModules().build());
  }

  /** The application's own mapper. */
  public static Jackson3Codec of(ObjectMapper mapper) {
    return new Jackson3Codec(Objects.requireNonNull(mapper, "mapper"));
  }

  @Override
  public byte[] encode(Object value) {
    try {
      return mapper.writeValueAsBytes(value);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(e.getOriginalMessage(), e);
    }
  }
}
