// Asks for the count until it has ended, then draws it.
const article = document.querySelector("[data-count]");
const part = (id) => document.getElementById(id);
const PATIENCE = 8; // seconds after which a count that nobody has begun needs an explanation

const say = (text, kind = "") => {
  part("state").textContent = text;
  part("state").className = `state ${kind}`;
};

function draw(count) {
  part("title").textContent = count.title;
  document.title = `${count.title} · wordcount`;
  part("total").textContent = count.total.toLocaleString("en");
  part("distinct").textContent = count.distinct.toLocaleString("en");
  part("seconds").textContent = count.seconds || "< 0.1";
  part("sums").hidden = false;
  if (count.words.length === 0) return say("No words worth counting in there.");
  part("state").hidden = true;
  const most = count.words[0][1];
  part("words").replaceChildren(...count.words.map(([word, number]) => {
    const bar = document.createElement("li");
    bar.style.setProperty("--share", number / most);
    for (const [kind, text] of [["word", word], ["number", number]]) {
      const span = bar.appendChild(document.createElement("span"));
      span.className = kind;
      span.textContent = text; // never innerHTML: the words are somebody else's
    }
    return bar;
  }));
  part("words").hidden = false;
}

async function ask(attempt = 0) {
  let count = { state: "unknown" };
  try {
    const answer = await fetch(article.dataset.count);
    if (answer.ok) count = await answer.json();
  } catch { /* the network went away for a moment: ask again */ }
  if (count.state === "done") return draw(count);
  if (count.state === "failed") return say(count.problem, "failed");
  if (count.state === "queued" && count.seconds > PATIENCE) {
    say("Still waiting for a worker. Does one run? Look with “heroku ps”; “heroku ps:scale worker=1” starts one.", "working");
  } else {
    say({ queued: "Waiting for a worker …", counting: "Reading and counting …" }[count.state] ?? "Asking again …", "working");
  }
  setTimeout(ask, Math.min(300 + 150 * attempt, 2000), attempt + 1);
}

ask();
