fn main() -> std::process::ExitCode {
    conversations::add_members::main()
}
