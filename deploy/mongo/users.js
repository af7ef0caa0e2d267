// Run once, when the store is empty: a user and a database for each service, and one who sees all of them.
const passwords = JSON.parse(require("fs").readFileSync("/run/secrets/mongo_passwords.json", "utf8"));
const services = ["members", "events", "feedback", "notifications"];
const own = (service) => ({ role: "readWrite", db: `hearth_${service}` });

for (const service of services) {
  db.getSiblingDB(`hearth_${service}`).createUser({ user: service, pwd: passwords[service], roles: [own(service)] });
}
db.getSiblingDB("admin").createUser({ user: "operator", pwd: passwords.operator, roles: services.map(own) });
