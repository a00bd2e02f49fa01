package dev.twinbox.outbox;

import java.util.regex.Pattern;

/** Which media types a message may have. */
final class ContentTypes {
  private static final int LONGEST = 255;
  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  private static final Pattern MEDIA_TYPE =
      Pattern.compile(
          TOKEN + "/" + TOKEN + "( *; *" + TOKEN + "=(" + TOKEN + "|\"[^\"\\\\\\p{Cntrl}]*\"))*");

  /** Its prefix tells structured mode from binary mode, so that of batches is among them. */
  private static final String CLOUD_EVENTS = "application/cloudevents";

  private ContentTypes() {}

  static String checked(String contentType) {
    String checked =
        Texts.line("contentType", contentType, LONGEST, "Write it as 'application/json'.");
    if (checked.equals("application/json")) {
      return checked;
    }
    if (!MEDIA_TYPE.matcher(checked).matches()) {
      throw new InvalidMessageException(
          "contentType",
          "contentType %s is no media type. Write it as 'application/json' or 'text/plain; charset=utf-8'."
              .formatted(Texts.shown(checked)));
    }
    if (checked.regionMatches(true, 0, CLOUD_EVENTS, 0, CLOUD_EVENTS.length())) {
      throw new InvalidMessageException(
          "contentType",
          ("contentType %s announces a whole CloudEvent as the payload (structured mode), but"
                  + " Twinbox writes the attributes as headers (binary mode), and consumers would"
                  + " refuse the message. Name the media type of the event's data, such as"
                  + " 'application/json', and enqueue the data alone.")
              .formatted(Texts.shown(checked)));
    }
    return checked;
  }
}
