package dev.twinbox.contract;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A message as a consumer finds it; the payload as text. */
public record Arrived(
    String id, @Nullable String key, @Nullable String payload, Map<String, String> headers) {}
