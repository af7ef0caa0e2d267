/** Drafts: what was typed at an address, kept in this tab until it is sent, also over a reload. */

export interface Draft {
  text: string;
  keep(text: string): void;
  forget(): void;
}

/** The draft of an address. Where nothing may be stored, it lives as long as its screen. */
export function draft(address: string): Draft {
  const key = `hearth.draft.${address}`;
  return {
    text: sessionStorage.getItem(key) ?? "",
    keep: (text) => keep(key, text),
    forget: () => sessionStorage.removeItem(key),
  };
}

function keep(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // storage is full: the screen still has the words
  }
}
