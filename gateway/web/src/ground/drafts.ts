/** Drafts: what was typed at an address, kept in this tab until it is sent, also over a reload. */

import { useState } from "preact/hooks";

/** The draft of an address: its text, what keeps a changed text, and what forgets it once it was sent. */
export function useDraft(address: string): [text: string, write: (text: string) => void, sent: () => void] {
  const key = `hearth.draft.${address}`;
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? "");

  function write(changed: string) {
    setText(changed);
    keep(key, changed);
  }

  function sent() {
    setText("");
    sessionStorage.removeItem(key);
  }

  return [text, write, sent];
}

/** Where nothing may be stored, or storage is full, the screen still has the words. */
function keep(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
