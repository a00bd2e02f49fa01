package dev.twinbox.setaside;

import org.jooq.Field;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/**
 * What the text of an error says of its cause. The text begins with {@code class: message}, and the
 * frames of its stack trace follow, a line each. Read when it is asked for, so that whatever was
 * stored has a cause.
 */
final class ErrorFields {
  /** The message often names the one message that it is about, and so is no part of the cause. */
  private static final String CLASS =
      "^(?:[\\w$]+(?:\\.[\\w$]+)+|[\\w$]*(?:Exception|Error))(?=:|\\n| \\(|$)";

  /** The first frame that is not the JDK's, this library's or that of a library around handlers. */
  private static final String OWN_FRAME =
      "\\n\\tat (?!(?:[^\\s(/]*/)*(?:java|javax|jdk|sun|com\\.sun|dev\\.twinbox|org\\.jooq"
          + "|org\\.postgresql|org\\.springframework|org\\.hibernate|com\\.zaxxer|com\\.fasterxml"
          + "|jakarta|kotlin|scala)\\.)([^\\n(]+)";

  private ErrorFields() {}

  /** The class of the error; empty where the text does not begin with one. */
  static Field<String> errorClass(SetAsideTable table) {
    return DSL.field(
        "case when {0} then coalesce(substring({1} from cast({2} as text)), '') else '' end",
        SQLDataType.CLOB, table.isHandlersError(), SetAsideTable.text("error"), DSL.val(CLASS));
  }

  /** The first frame of the user's own code, without line; empty where there is none. */
  static Field<String> frame(SetAsideTable table) {
    return DSL.field(
        "case when {0} then coalesce(substring({1} from cast({2} as text)), '') else '' end",
        SQLDataType.CLOB, table.isHandlersError(), SetAsideTable.text("error"), DSL.val(OWN_FRAME));
  }

  /** The fingerprint of reason, class and frame. */
  static Field<String> cause(SetAsideTable table) {
    return DSL.field(
        "to_hex(hashtextextended({0} || chr(10) || {1} || chr(10) || {2}, 0))",
        SQLDataType.CLOB, SetAsideTable.text("reason"), errorClass(table), frame(table));
  }
}
