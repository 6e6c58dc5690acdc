fn main() -> std::process::ExitCode {
    users::list_contact_requests::main()
}
