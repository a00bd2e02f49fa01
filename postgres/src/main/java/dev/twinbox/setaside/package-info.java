/**
 * Messages that are set aside for an operator: dead letters, scheduled and archived messages of an
 * outbox, the quarantine of consumers. One selection, one preview, one kind of act and one audit
 * for all of them.
 */
@NullMarked
package dev.twinbox.setaside;

import org.jspecify.annotations.NullMarked;
