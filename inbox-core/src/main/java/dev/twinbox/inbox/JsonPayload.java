package dev.twinbox.inbox;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * JSON through Jackson, which is an optional dependency. The class is the handler's choice and
 * never the message's: type hints in a payload load nothing. Nesting, lengths and numbers are
 * limited by Jackson's stream constraints.
 */
final class JsonPayload<T> implements PayloadDecoder<T> {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .findAndAddModules()
          .deactivateDefaultTyping()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final ObjectReader reader;

  JsonPayload(Class<T> type) {
    reader = MAPPER.readerFor(type);
  }

  @Override
  public T decode(Delivery delivery) throws Exception {
    byte[] payload = delivery.payload();
    if (payload == null) {
      throw new IllegalArgumentException("The message is a tombstone: it has no payload.");
    }
    T value = reader.readValue(payload);
    if (value == null) {
      throw new IllegalArgumentException("The payload is JSON null.");
    }
    return value;
  }
}
