"use strict";

const form = document.getElementById("login");
const problem = document.getElementById("problem");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const reply = await fetch("/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: form.user.value, password: form.password.value }),
    });
    if (reply.ok) {
      location.replace("/");
      return;
    }
    problem.textContent = (await reply.json()).error;
    form.password.value = "";
    form.password.focus();
  } catch {
    problem.textContent = "The panel does not answer.";
  } finally {
    button.disabled = false;
  }
});
