// Sign-in: takes a pasted token, which stays in this tab.

import { useState } from "preact/hooks";

import { signIn } from "./token";

export function SignIn({ onToken }: { onToken: () => void }) {
  return (
    <main class="alone">
      <img src="/icon.svg" width="56" height="56" alt="" />
      <h1>Nacre</h1>
      <p>
        Layered contexts: what is known globally, refined by project, branch and task. Paste a token to see yours; it
        stays in this tab.
      </p>
      <TokenForm onToken={onToken} />
      <p class="quiet">
        On your own machine, <code>cargo xtask dev</code> prints a link with a token in it, and{" "}
        <code>cargo xtask token</code> makes another.
      </p>
    </main>
  );
}

/** Asks for a token, of the user `whom` if given. */
export function TokenForm({ whom, onToken }: { whom?: string; onToken: () => void }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<string>();
  const submit = (event: Event) => {
    event.preventDefault();
    const fault = signIn(text, whom);
    setWrong(fault);
    if (!fault) onToken();
  };
  return (
    <form onSubmit={submit}>
      <label class="field">
        Token
        <textarea
          class="mono"
          rows={5}
          required
          spellcheck={false}
          autocomplete="off"
          value={text}
          aria-invalid={wrong !== undefined}
          aria-describedby={wrong ? "token-wrong" : undefined}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {wrong && (
        <p id="token-wrong" class="fault" role="alert">
          {wrong}
        </p>
      )}
      <div class="row end">
        <button type="submit" class="button main">
          Open
        </button>
      </div>
    </form>
  );
}
